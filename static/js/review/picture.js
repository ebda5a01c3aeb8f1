// Puts an item's picture on the stage, waiting for it where it is still on its way.
import { element, icon } from "lib/dom";

// `isWanted` says, after the wait, whether this item is still the one to show.
export async function showPicture({ viewer, box, ahead, isWanted }) {
  if (!ahead.isReady) {
    viewer.show(null);
    box.setAttribute("aria-busy", "true");
    await ahead.ready;
    if (!isWanted()) return;
  }
  box.removeAttribute("aria-busy");
  viewer.show(ahead.picture);
  if (!ahead.picture) box.replaceChildren(unshown());
}

function unshown() {
  const text = element("p", {}, "This picture cannot be shown. If it stays so, answer Broken.");
  return element("div", { class: "unshown" }, icon("broken"), text);
}
