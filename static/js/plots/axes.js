// Axes in the look of the page: numbers as the tables write them, hairlines, names that are not cut in the middle.
import { widthOf } from "plots/labels";

const NAME_CHARS = 20;

export function numbers(form, colours, { low, high, grid = true, room, isTight = false, title = "" } = {}) {
  return {
    type: "linear",
    min: low,
    max: high,
    grace: low === undefined && high === undefined ? "5%" : 0,
    border: { display: false },
    title: { display: title !== "", text: title, color: colours.text, font: { family: colours.font, size: 12 } },
    grid: { display: grid, color: colours.grid, drawTicks: false },
    ticks: {
      color: colours.text,
      font: { family: colours.font, size: 12 },
      padding: 8,
      maxTicksLimit: room ?? 6,
      includeBounds: !isTight,
      maxRotation: 0,
      precision: form === "count" ? 0 : undefined,
      callback: (value) => written(value, form),
    },
  };
}

export function names(texts, colours, { dense = false } = {}) {
  return {
    type: "category",
    labels: texts,
    offset: true,
    border: { display: false },
    grid: { display: false },
    ticks: {
      color: colours.text,
      font: { family: colours.font, size: 12 },
      padding: dense ? 8 : 6,
      maxRotation: 0,
      autoSkip: !dense,
      autoSkipPadding: 16,
      callback(_, index) {
        return shortened(texts[index], dense ? roomOf(this) : Infinity, colours.font);
      },
    },
  };
}

// As annotations/views/plots.py writes them in the table, with fewer digits where the axis has round numbers.
export function written(value, form) {
  if (form === "share") return String(Math.round(value * 100) / 100).replace(/^(-?)0\./, "$1.");
  if (form === "percent") return `${Math.round(value * 100)} %`;
  if (form === "precise") return String(Number(value.toPrecision(3)));
  if (form === "number") return String(Math.round(value * 100) / 100);
  return value.toLocaleString("en");
}

// What the names of a lying plot may take of its width: of longer ones Chart.js would draw the end alone.
function roomOf({ maxWidth, options: { grid, ticks } }) {
  return maxWidth - 2 * ticks.padding - (grid.drawTicks ? grid.tickLength : 0);
}

function shortened(text, room, font) {
  const letters = [...text];
  for (let kept = NAME_CHARS; kept > 1; kept -= 1) {
    const name = letters.length > kept ? `${letters.slice(0, kept - 1).join("")}…` : text;
    if (widthOf(name, font) <= room + 1) return name;
  }
  return "…";
}
