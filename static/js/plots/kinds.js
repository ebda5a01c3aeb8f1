// Which function makes a plot of which kind, and what all plots have in common. Sizes are CSS pixels.
import { columns, dumbbells, rows } from "plots/bars";
import { line, points, spark } from "plots/lines";

const KINDS = { line, columns, rows, dumbbells, points, spark };
const ROW_PX = 24;
const BELOW_ROWS_PX = { rows: 8, dumbbells: 36 };

// The height that a plot asks for; null where the style sheet says it.
export function heightOf(kind, data) {
  return kind in BELOW_ROWS_PX ? data.length * ROW_PX + BELOW_ROWS_PX[kind] : null;
}

export function configOf(kind, data, colours, options) {
  const made = KINDS[kind](data, colours, options);
  return { ...made, options: { ...common(colours), ...made.options } };
}

function common(colours) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    font: { family: colours.font, size: 12 },
    plugins: { legend: { display: false }, tooltip: tooltip(colours) },
  };
}

function tooltip(colours) {
  return {
    backgroundColor: colours.surface,
    borderColor: colours.context,
    borderWidth: 1,
    titleColor: colours.ink,
    bodyColor: colours.ink,
    cornerRadius: 6,
    padding: 8,
    caretSize: 4,
    displayColors: false,
    filter: ({ dataset }) => !dataset.isBackground,
  };
}
