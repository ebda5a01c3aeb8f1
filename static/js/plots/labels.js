// What is written into a plot beside its marks, so that nobody has to look colours up in a legend. A plugin of
// Chart.js: datasets carry `said: {at: "end" | "above" | "beside" | "edge" | "ref" | "mark", texts, colour}`.
const LINE_PX = 14;
const GAP_PX = 8;
const measuring = document.createElement("canvas").getContext("2d");

export const labels = {
  id: "labels",
  afterDatasetsDraw(chart) {
    const { ctx } = chart;
    ctx.save();
    ctx.font = fontOf(chart);
    ctx.textBaseline = "middle";
    chart.data.datasets.forEach((dataset, index) => {
      if (dataset.said && dataset.said.at !== "end") DRAWN[dataset.said.at](chart, dataset, index);
    });
    drawEnds(chart);
    ctx.restore();
  },
};

// How much room beside the plot the labels need.
export function roomFor(texts, font) {
  return Math.ceil(Math.max(0, ...texts.map((text) => widthOf(text, font)))) + GAP_PX + 4;
}

export function widthOf(text, font) {
  measuring.font = `12px ${font}`;
  return measuring.measureText(text).width;
}

const DRAWN = {
  // A number after each lying bar.
  beside(chart, { said }, index) {
    chart.getDatasetMeta(index).data.forEach((bar, row) => {
      write(chart, said.texts[row], bar.x + GAP_PX, bar.y, said.colours?.[row] ?? said.colour);
    });
  },
  // A number at the right edge of each row.
  edge(chart, { said }, index) {
    chart.getDatasetMeta(index).data.forEach((mark, row) => {
      write(chart, said.texts[row], chart.chartArea.right + GAP_PX, mark.y, said.colours?.[row] ?? said.colour);
    });
  },
  // The last number above its column.
  above(chart, { said, data }, index) {
    const row = data.findLastIndex((value) => value !== null);
    if (row < 0) return;
    const bar = chart.getDatasetMeta(index).data[row];
    write(chart, said.texts[row], bar.x, bar.y - GAP_PX, said.colour, "center");
  },
  // The name of a single point, below it at the left.
  mark(chart, { said, data }, index) {
    const mark = chart.getDatasetMeta(index).data[data.findIndex((point) => heightIn(point) !== null)];
    if (mark) write(chart, said.texts[0], mark.x - GAP_PX, mark.y + LINE_PX, said.colour, "right");
  },
  // What a dashed line stands for, on it at the left; at the right where other lines begin at the left.
  ref(chart, { said }, index) {
    const mark = chart.getDatasetMeta(index).data[0];
    const isHigh = mark.y - chart.chartArea.top < LINE_PX;
    const { left, right } = chart.chartArea;
    const [x, align] = said.isAtRight ? [right - 4, "right"] : [left + 4, "left"];
    write(chart, said.texts[0], x, mark.y + (isHigh ? 9 : -9), said.colour, align);
  },
};

// Names at the ends of lines; above the end where another line goes on, which would strike the name through.
function drawEnds(chart) {
  const ends = chart.data.datasets.map((dataset, index) => endOf(chart, dataset, index)).filter(Boolean);
  const right = Math.max(...ends.map(({ x }) => x));
  const [outer, inner] = [ends.filter(({ x }) => right - x < GAP_PX), ends.filter(({ x }) => right - x >= GAP_PX)];
  spread(outer);
  for (const { said, x, y } of outer) write(chart, said.texts[0], x + GAP_PX, y, said.colour);
  for (const { said, x, y } of inner) write(chart, said.texts[0], x, y - LINE_PX, said.colour, "right");
}

// At least a line's height apart.
function spread(ends) {
  ends.sort((one, other) => one.y - other.y);
  for (let at = 1; at < ends.length; at++) {
    const short = LINE_PX - (ends[at].y - ends[at - 1].y);
    if (short <= 0) continue;
    ends[at].y += short / 2;
    ends[at - 1].y -= short / 2;
  }
}

function endOf(chart, dataset, index) {
  if (dataset.said?.at !== "end") return null;
  const last = dataset.data.findLastIndex((point) => heightIn(point) !== null);
  const mark = chart.getDatasetMeta(index).data[last];
  return mark ? { said: dataset.said, x: mark.x, y: mark.y } : null;
}

// The number of a point, whether it stands alone or with its x.
export function heightIn(point) {
  return typeof point === "object" && point !== null ? point.y : point;
}

function write(chart, text, x, y, colour, align = "left") {
  if (!text) return;
  chart.ctx.fillStyle = colour;
  chart.ctx.textAlign = align;
  chart.ctx.fillText(text, x, y);
}

function fontOf(chart) {
  return `500 12px ${chart.options.font.family}`;
}
