// Plots of lines and points: over names or over numbers, several series, calibration, and the small line of a card.
import * as axes from "plots/axes";
import { bandsOf, diagonal, endRoom, nameAxis, refOf } from "plots/parts";
import { ofRole } from "plots/table";

const DOTS_AT_MOST = 60;

export function line(data, colours, options) {
  const [x] = ofRole(data, "x");
  const [series] = ofRole(data, "series");
  const places = (column, keep = () => true) =>
    column.values.flatMap((value, row) => (keep(row) ? [x ? { x: x.values[row], y: value, row } : value] : []));
  const lines = ofRole(data, "line");
  const datasets = lines.flatMap((column) => [
    ...bandsOf(data, column, colours, places),
    ...(series ? groups(data, series, column, colours, places) : lineOf(data, column, colours, options, places)),
  ]);
  const marks = ofRole(data, "point").map((column) => markOf(column, colours, places));
  const refs = ofRole(data, "ref").map((column) =>
    options.span === undefined
      ? refOf(column, colours, places)
      : refOf(column, colours, across(options.span), { isAtRight: true }),
  );
  if (options.traits.includes("diagonal")) refs.push(diagonal(colours));
  const form = (lines[0] ?? ofRole(data, "ref")[0]).form;
  return {
    type: "line",
    data: { datasets: [...marks, ...datasets, ...refs] },
    options: {
      scales: {
        x: x ? axes.numbers(x.form, colours, { grid: false, ...spanOf(x, options.span) }) : nameAxis(data, colours),
        y: axes.numbers(form, colours, options),
      },
      layout: { padding: { top: 10, right: endRoom(datasets, colours) } },
      interaction: series ? { mode: "nearest", intersect: false } : { mode: "index", intersect: false },
    },
  };
}

// The line joins what counts; rows of the tone "stop" are points apart from it.
function lineOf(data, column, colours, { traits }, places) {
  const isApart = (row) => data.tones[row] === "stop";
  const joined = { ...column, values: column.values.map((value, row) => (isApart(row) ? null : value)) };
  const apart = { ...column, values: column.values.map((value, row) => (isApart(row) ? value : null)) };
  const colour = colours[column.tone || "ink"];
  const hasDots = traits.includes("dots") && data.length <= DOTS_AT_MOST;
  const last = joined.values.findLastIndex((value) => value !== null);
  const look = {
    ...{ label: column.name, column, pointHitRadius: 12 },
    ...{ pointBorderColor: colours.surface, pointBorderWidth: 1 },
  };
  const line = {
    ...look,
    data: places(joined),
    borderColor: colour,
    borderWidth: column.tone === "context" ? 1.25 : 1.75,
    pointRadius: data.tones.map((_, row) => (row === last ? 4 : hasDots ? 3 : 0)),
    pointBackgroundColor: data.tones.map((tone) => colours[tone] ?? colour),
    spanGaps: true,
    clip: 8,
    fill: traits.includes("area") ? { target: "origin", above: colours.band } : false,
    said: { at: "end", texts: [`${column.name} ${column.texts[last] ?? ""}`], colour },
  };
  const refused = {
    ...{ ...look, data: places(apart), showLine: false, clip: 8 },
    ...{ pointRadius: 3, pointBackgroundColor: colours.stop },
  };
  return apart.values.some((value) => value !== null) ? [line, refused] : [line];
}

// One line for each value of the column `series`; a row's tone is that of its line.
function groups(data, series, column, colours, places) {
  return [...new Set(series.texts)].map((name) => {
    const keep = (row) => series.texts[row] === name;
    const colour = colours[data.tones[series.texts.indexOf(name)] || "ink"];
    return {
      label: name,
      column,
      data: places(column, keep),
      borderColor: colour,
      borderWidth: 1.75,
      pointRadius: 0,
      pointHoverRadius: 4,
      pointBackgroundColor: colour,
      fill: false,
      said: { at: "end", texts: [name], colour },
    };
  });
}

// A point beside the lines, with its name below it.
function markOf(column, colours, places) {
  return {
    label: column.name,
    column,
    data: places(column),
    showLine: false,
    clip: 8,
    pointRadius: 4.5,
    pointBackgroundColor: colours.live,
    pointBorderColor: colours.surface,
    said: { at: "mark", texts: [column.name], colour: colours.live },
  };
}

export function points(data, colours, options) {
  const [[x], [y], [size]] = [ofRole(data, "x"), ofRole(data, "point"), ofRole(data, "size")];
  const most = Math.max(1, ...(size?.values ?? []));
  const places = (column) => column.values.map((value, row) => ({ x: x.values[row], y: value }));
  return {
    type: "line",
    data: {
      datasets: [
        ...bandsOf(data, y, colours, places),
        {
          label: y.name,
          column: y,
          data: places(y),
          showLine: false,
          clip: 8,
          pointRadius: data.tones.map((_, row) => (size ? 3 + 4 * Math.sqrt(size.values[row] / most) : 4)),
          pointBackgroundColor: colours.ink,
          pointBorderColor: colours.surface,
        },
        ...(options.traits.includes("diagonal") ? [diagonal(colours)] : []),
      ],
    },
    options: {
      scales: {
        x: axes.numbers(x.form, colours, { ...options, grid: false }),
        y: axes.numbers(y.form, colours, options),
      },
      layout: { padding: { top: 8, right: 8 } },
      interaction: { mode: "nearest", intersect: false },
    },
  };
}

export function spark(data, colours) {
  const [column] = ofRole(data, "line");
  const last = data.length - 1;
  return {
    type: "line",
    data: {
      labels: data.columns[0].texts,
      datasets: [
        {
          column,
          data: column.values,
          borderColor: colours.context,
          borderWidth: 1.5,
          pointRadius: column.values.map((_, row) => (row === last ? 2.5 : 0)),
          pointBackgroundColor: colours.live,
          pointBorderWidth: 0,
        },
      ],
    },
    options: {
      events: [],
      scales: { x: { display: false }, y: { display: false, min: 0 } },
      layout: { padding: 3 },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
    },
  };
}

// From nothing to the last one, without a number that is not round at its end; or as far as the line will go, with the
// name of what is counted.
function spanOf(column, span) {
  const high = span ?? (column.form === "share" ? 1 : Math.max(...column.values));
  return { room: 7, low: 0, high, isTight: span === undefined, title: span === undefined ? "" : column.name };
}

// One height over the whole of such an axis.
function across(span) {
  return ({ values }) => [0, span].map((x) => ({ x, y: values.find((value) => value !== null) }));
}
