// The two ways of answering: about a whole image, and about one tag of it. What is sent, and how it is taken back; the
// flow of items is the same for both.

export function aboutImages(api) {
  return {
    keepsItem: false,
    body({ ahead, selection, keystrokes, picture_ms }, outcome, seconds) {
      const { image, lease } = ahead.item;
      const said = outcome === "reviewed" ? selection.answer() : { tags: [], rejected: [] };
      const { revision } = image;
      const effort = { seconds, keystrokes, picture_ms };
      return { image: image.id, lease: lease.token, revision, outcome, ...effort, ...said };
    },
    // Answers the item with its new lease, or null where somebody else has the image.
    async takeBack({ review }) {
      return (await api.post(`reviews/${review}/undo/`, {})).item;
    },
  };
}

// "yes" and "no" are stored; "ignored" is not.
export function aboutOneTag(api, tag) {
  return {
    keepsItem: true, // one tag needs no lease, so that what was taken back is shown as it was
    body({ ahead }, outcome, seconds) {
      if (outcome === "ignored") return null;
      const { image, model_version: version } = ahead.item;
      return { tag: tag.id, [outcome]: [image.id], seconds, model_number: version.number };
    },
    async takeBack({ review, item }) {
      await api.post(`verify/${review}/undo/`, {});
      return item;
    },
  };
}
