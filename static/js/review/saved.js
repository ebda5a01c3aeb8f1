// The mark that tells whether answers are saved, and the warning about one that was refused.

export function tellWhatIsSaved({ outbox, strip, notices }) {
  let refused = { count: 0, lead: "" };

  const draw = () => strip.saved({ state: outbox.state, waiting: outbox.size, refused });
  const putAway = () => {
    refused = { count: 0, lead: "" };
    draw();
  };
  outbox.addEventListener("change", draw);
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
