// The mark that tells whether answers have reached the server. `refused`: {count, lead} of those it did not take.
import { icon } from "lib/dom";

export function showSaved(node, { state, waiting, refused }) {
  const { tone, mark, text } = savedWords(state, waiting, refused);
  node.dataset.state = tone;
  node.querySelector(".icon").replaceWith(icon(mark));
  node.querySelector("[data-saved-text]").textContent = text;
  node.querySelector("[data-sign-in]").hidden = state !== "signed-out";
}

function savedWords(state, waiting, refused) {
  if (state === "offline") return { tone: "offline", mark: "cloud", text: `Offline, ${waiting} kept here` };
  if (state === "signed-out")
    return { tone: "offline", mark: "key", text: `Signed out, ${waiting} kept here.` };
  if (refused.count) {
    const answers = refused.count === 1 ? "one answer" : `${refused.count} answers`;
    return { tone: "offline", mark: "stop", text: `${refused.lead}: ${answers}` };
  }
  if (waiting) return { tone: "waiting", mark: "spin", text: `Saving ${waiting}` };
  return { tone: "saved", mark: "check", text: "Saved" };
}
