// The mark that tells whether answers are saved, and the warning about one that was refused.

const FROM_GOOD_TO_BAD = ["saved", "saving", "offline", "signed-out"];

// `beside` is the outbox of flags: nothing is saved before both are empty.
export function tellWhatIsSaved({ outbox, beside, strip, notices }) {
  let refused = { count: 0, lead: "" };

  const draw = () => {
    const levels = [outbox, beside].map(({ state }) => FROM_GOOD_TO_BAD.indexOf(state));
    const state = FROM_GOOD_TO_BAD[Math.max(...levels)];
    strip.saved({ state, waiting: outbox.size + beside.size, refused });
  };
  const putAway = () => {
    refused = { count: 0, lead: "" };
    draw();
  };
  outbox.addEventListener("change", draw);
  beside.addEventListener("change", draw);
  outbox.addEventListener("refused", ({ detail: { status, error } }) => {
    const lead = status === 409 ? "Not counted" : "Not saved";
    refused = { count: refused.count + 1, lead };
    notices.say(`${lead}. ${error.message}`, { tone: "stop", onDismiss: putAway });
    draw();
  });
  return draw;
}

export async function openOutbox(outbox, notices) {
  await outbox
    .open()
    .catch(() =>
      notices.say("This browser keeps no data: answers are lost if the tab closes before they are saved."),
    );
}
