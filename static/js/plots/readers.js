// Where a reader was in a plot that htmx brings anew: whether the table was open, what had the focus, the row that the
// keys had reached. By the plot's name, for the element itself goes.
const left = new Map();

export function leave(plot, row) {
  const [box, summary] = partsOf(plot);
  const focused = [box, summary].indexOf(document.activeElement);
  left.set(plot.getAttribute("name"), { isOpen: summary?.parentElement.open, focused, row });
}

// Puts the reader back, and answers the row.
export function takeUp(plot) {
  const name = plot.getAttribute("name");
  const before = left.get(name);
  if (!before) return -1;
  left.delete(name);
  const parts = partsOf(plot);
  if (before.isOpen) parts[1].parentElement.open = true;
  parts[before.focused]?.focus({ preventScroll: true });
  return before.row;
}

function partsOf(plot) {
  return [plot.querySelector(".plot-box"), plot.querySelector("summary")];
}
