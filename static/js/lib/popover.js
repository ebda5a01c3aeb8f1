// <details class="popover"> closes on Escape and on a press elsewhere. Opening works without script.
function openOnes(root) {
  return root.querySelectorAll("details.popover[open]");
}

export function closeMenusByThemselves(root) {
  root.addEventListener("pointerdown", (event) => {
    for (const menu of openOnes(root)) if (!menu.contains(event.target)) menu.open = false;
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openOnes(root)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
