// What several kinds of plot share: bands, dashed lines, the axis of names, room for labels. Sizes are CSS pixels.
import * as axes from "plots/axes";
import { roomFor } from "plots/labels";
import { boundsOf } from "plots/table";

// Low and high as two lines nobody sees, with the space between them filled.
export function bandsOf(data, column, colours, places) {
  const bounds = boundsOf(data, column);
  if (!bounds) return [];
  const isApart = (row) => data.tones[row] === "stop";
  const joined = (bound) => ({ ...bound, values: bound.values.map((one, row) => (isApart(row) ? null : one)) });
  const edge = { pointRadius: 0, pointHitRadius: 0, borderWidth: 0, spanGaps: true, isBackground: true };
  return [
    { ...edge, data: places(joined(bounds.low)), fill: false },
    { ...edge, data: places(joined(bounds.high)), fill: { target: "-1" }, backgroundColor: colours.band },
  ];
}

export function refOf(column, colours, places, { isAtRight = false } = {}) {
  const first = column.values.findIndex((value) => value !== null);
  return {
    data: places(column),
    borderColor: colours.context,
    borderWidth: 1,
    borderDash: [3, 3],
    pointRadius: 0,
    pointHitRadius: 0,
    fill: false,
    spanGaps: true,
    isBackground: true,
    said: { at: "ref", texts: [`${column.name} ${column.texts[first] ?? ""}`], colour: colours.text, isAtRight },
    type: "line",
  };
}

export function diagonal(colours) {
  const ends = [0, 1].map((value) => ({ x: value, y: value }));
  return { ...refOf({ values: [], texts: [] }, colours, () => ends), said: null };
}

export function nameAxis(data, colours) {
  return axes.names(data.columns[0].texts, colours);
}

export function endRoom(datasets, colours) {
  const texts = datasets.filter((one) => one.said).flatMap((one) => one.said.texts);
  return texts.length ? roomFor(texts, colours.font) : 8;
}
