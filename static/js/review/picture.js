// Puts an item's picture on the stage, waiting for it where it is still on its way.
import { element, icon } from "lib/dom";

// `isWanted` says, after the wait, whether this item is still the one to show; `remedy` what to do about a picture that
// cannot be shown.
export async function showPicture({ viewer, box, ahead, isWanted, remedy }) {
  if (ahead.isReady && !ahead.picture) ahead.load();
  if (!ahead.isReady) {
    viewer.show(null);
    box.setAttribute("aria-busy", "true");
    await ahead.ready;
    if (!isWanted()) return;
  }
  box.removeAttribute("aria-busy");
  viewer.show(ahead.picture);
  if (ahead.picture) return;
  const again = element("button", { class: "button", type: "button" }, "Load it again");
  again.addEventListener("click", () => showPicture({ viewer, box, ahead, isWanted, remedy }));
  box.replaceChildren(unshown(remedy, again));
}

function unshown(remedy, again) {
  const text = element("p", {}, `This picture cannot be shown. If it stays so, ${remedy}.`);
  return element("div", { class: "unshown" }, icon("broken"), text, again);
}
