// One picture large, in a dialog: arrows go to its neighbours, Space marks it, and a link leads to its own page.
const LONG_PRESS_MS = 500;

export function wireEnlarged({ dialog, grid, root, gallery }) {
  const part = (name) => dialog.querySelector(`[data-${name}]`);

  let current = null;

  function show() {
    current = grid.current;
    const picture = new Image();
    picture.alt = current.caption || current.name;
    picture.src = current.url;
    part("picture").replaceChildren(picture);
    part("caption").textContent = current.caption || current.name;
    part("score").textContent = Math.round(current.score * 100);
    part("mark").checked = grid.no.includes(current.id);
    part("open").href = `${gallery}${current.id}/`;
  }

  function open() {
    if (!grid.current) return;
    show();
    dialog.showModal();
    part("mark").focus();
  }

  part("mark").addEventListener("change", () => grid.toggle());
  // The browser gives the focus back to where it was; the picture may be another one by now.
  dialog.addEventListener("close", () => grid.focus(grid.tiles.indexOf(current)));
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    grid.moveTo(...step);
    show();
  });

  root.addEventListener("click", (event) => {
    const link = event.target.closest("a.enlarge");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    grid.at(link.closest("li"));
    open();
  });
  wireLongPress(root, (item) => {
    grid.at(item);
    open();
  });
  return open;
}

// A finger that rests on a tile enlarges it; the click that follows must not mark it.
function wireLongPress(root, act) {
  let timer = null;
  let wasLong = false;
  const stop = () => clearTimeout(timer);
  root.addEventListener("pointerdown", (event) => {
    wasLong = false;
    const item = event.target.closest("li");
    if (event.pointerType !== "touch" || !item) return;
    timer = setTimeout(() => {
      wasLong = true;
      act(item);
    }, LONG_PRESS_MS);
  });
  for (const name of ["pointerup", "pointercancel", "pointermove"]) root.addEventListener(name, stop);
  root.addEventListener("contextmenu", (event) => wasLong && event.preventDefault());
  root.addEventListener("click", (event) => wasLong && event.preventDefault(), { capture: true });
}
