// Puts an item's picture on the stage, waiting for it where it is still on its way.
import { element, icon } from "lib/dom";

// `isWanted` says, after the wait, whether this item is still the one to show; `remedy` what to do about a picture that
// cannot be shown.
export async function showPicture({ viewer, box, ahead, isWanted, remedy }) {
  if (!ahead.isReady) {
    viewer.show(null);
    box.setAttribute("aria-busy", "true");
    await ahead.ready;
    if (!isWanted()) return;
  }
  box.removeAttribute("aria-busy");
  viewer.show(ahead.picture);
  if (!ahead.picture) box.replaceChildren(unshown(remedy));
}

function unshown(remedy) {
  const text = element("p", {}, `This picture cannot be shown. If it stays so, ${remedy}.`);
  return element("div", { class: "unshown" }, icon("broken"), text);
}
