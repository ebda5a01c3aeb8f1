// Plots of bars: upright, lying, and dumbbells, which are a bar between two points.
import * as axes from "plots/axes";
import { roomFor } from "plots/labels";
import { nameAxis, refOf } from "plots/parts";
import { ofRole } from "plots/table";

export function columns(data, colours, options) {
  const bars = ofRole(data, "bar");
  const isAlone = bars.length === 1;
  const colourOf = (column, tone, row) =>
    colours[tone] ?? colours[column.tone || (isAlone && row < data.length - 1 ? "soft" : "bar")];
  const datasets = bars.map((column) => ({
    type: "bar",
    label: column.name,
    column,
    data: column.values,
    backgroundColor: data.tones.map((tone, row) => colourOf(column, tone, row)),
    hoverBackgroundColor: data.tones.map((tone, row) => colourOf(column, tone, row)),
    borderRadius: 2,
    categoryPercentage: isAlone ? 0.7 : 0.86,
    barPercentage: isAlone ? 1 : 0.94,
    said: isAlone ? { at: "above", texts: column.texts, colour: colours.ink } : null,
  }));
  const refs = ofRole(data, "ref").map((column) => refOf(column, colours, (one) => one.values));
  return {
    type: "bar",
    data: { labels: data.columns[0].texts, datasets: [...datasets, ...refs] },
    options: {
      scales: { x: nameAxis(data, colours), y: axes.numbers(bars[0].form, colours, { low: 0, ...options }) },
      layout: { padding: { top: 18 } },
      interaction: { mode: "index", intersect: false },
    },
  };
}

export function rows(data, colours) {
  const [bar] = ofRole(data, "bar");
  const [label = bar] = ofRole(data, "label");
  const colourOf = (tone) => colours[tone] ?? colours.bar;
  return {
    type: "bar",
    data: {
      labels: data.columns[0].texts,
      datasets: [
        {
          label: bar.name,
          column: bar,
          data: bar.values,
          backgroundColor: data.tones.map(colourOf),
          hoverBackgroundColor: data.tones.map(colourOf),
          borderRadius: 2,
          barThickness: 12,
          minBarLength: 2,
          said: { at: "beside", texts: label.texts, colour: colours.text },
        },
      ],
    },
    options: {
      indexAxis: "y",
      scales: {
        x: { ...axes.numbers(bar.form, colours, { low: 0 }), display: false },
        y: axes.names(data.columns[0].texts, colours, { dense: true }),
      },
      layout: { autoPadding: false, padding: { right: roomFor(label.texts, colours.font) } },
      interaction: { mode: "index", axis: "y", intersect: false },
    },
  };
}

export function dumbbells(data, colours, options) {
  const [[from], [to], [label]] = [ofRole(data, "from"), ofRole(data, "to"), ofRole(data, "label")];
  const toneOf = (row) => colours[data.tones[row]] ?? colours.ink;
  const tones = data.tones.map((_, row) => toneOf(row));
  const dots = (column, look) => ({
    ...{ type: "line", showLine: false, clip: 8, label: column.name, column, data: column.values },
    ...look,
  });
  return {
    type: "bar",
    data: {
      labels: data.columns[0].texts,
      datasets: [
        dots(to, {
          pointRadius: 4.5,
          pointBackgroundColor: tones,
          pointBorderColor: colours.surface,
          said: label && { at: "edge", texts: label.texts, colour: colours.ink, colours: tones },
        }),
        dots(from, {
          pointRadius: 4,
          pointBackgroundColor: colours.surface,
          pointBorderColor: colours.context,
          pointBorderWidth: 1.5,
        }),
        {
          data: data.tones.map((_, row) => pairOf(from.values[row], to.values[row])),
          backgroundColor: tones,
          hoverBackgroundColor: tones,
          barThickness: 2.5,
          isBackground: true,
        },
      ],
    },
    options: {
      indexAxis: "y",
      scales: {
        x: axes.numbers(to.form, colours, options),
        y: axes.names(data.columns[0].texts, colours, { dense: true }),
      },
      layout: { autoPadding: false, padding: { top: 4, right: label ? roomFor(label.texts, colours.font) : 8 } },
      interaction: { mode: "index", axis: "y", intersect: false },
    },
  };
}

function pairOf(one, other) {
  return one === null || other === null ? null : [Math.min(one, other), Math.max(one, other)];
}
