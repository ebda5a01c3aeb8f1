// <data-plot kind name>: draws the table inside it and moves the table behind a line "Table". Without this module the
// table is simply there. Arrow keys read the plot row by row, as a pointer does.
import { element } from "lib/dom";
import { Chart } from "plots/chart";
import { coloursOf } from "plots/colours";
import { configOf, heightOf } from "plots/kinds";
import { heightIn, labels } from "plots/labels";
import { leave, takeUp } from "plots/readers";
import { ofRole, readTable, rowName, sentence } from "plots/table";

const SWAPS = ["htmx:beforeSwap", "htmx:oobBeforeSwap"];
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

class DataPlot extends HTMLElement {
  #listeners = null;
  #themes = null;
  #chart = null;
  #data = null;
  #at = -1; // the row that the keys have reached

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.#data = readTable(this.querySelector("table"));
    this.#frame();
    this.#draw();
    this.dataset.drawn = "";
    this.#mark(takeUp(this));
    this.#canvas.parentElement.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#canvas.parentElement.addEventListener("blur", () => this.#point(-1), { signal });
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
      matchMedia(query).addEventListener("change", () => this.#draw(), { signal });
    }
    for (const swap of SWAPS) document.addEventListener(swap, (event) => this.#leave(event), { signal });
    this.#themes = new MutationObserver(() => this.#draw());
    this.#themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    // Text is measured in the page's font, which may come later than the first drawing.
    document.fonts.ready.then(() => this.isConnected && this.#draw());
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#themes.disconnect();
    this.#chart?.destroy();
    this.#chart = null;
  }

  #leave({ detail }) {
    if (detail.target?.contains(this)) leave(this, this.#at);
  }

  get #kind() {
    return this.getAttribute("kind");
  }

  get #canvas() {
    return this.querySelector("canvas");
  }

  // Once, and not again when the element is moved or a page comes back from the history.
  #frame() {
    if (this.#canvas) return;
    const isSpark = this.#kind === "spark";
    const name = this.getAttribute("name");
    const box = element(
      "div",
      { class: "plot-box", role: "img", "aria-label": name, tabindex: isSpark ? null : 0 },
      element("canvas"),
    );
    const height = heightOf(this.#kind, this.#data);
    if (height) box.style.blockSize = `${height}px`;
    const table = this.firstElementChild;
    this.prepend(...this.#legend(), box);
    if (isSpark) return table.classList.add("visually-hidden");
    const told = element("p", { class: "visually-hidden", "aria-live": "polite" });
    const behind = element("details", { class: "plot-data" }, element("summary", {}, "Table"), table);
    this.append(told, behind);
  }

  // Colours that no label on the plot explains.
  #legend() {
    const explained = ofRole(this.#data, "bar", "from", "to");
    if (explained.length < 2) return [];
    const entries = explained.map((column) => {
      const tone = { from: "hollow", to: "ink" }[column.role] ?? (column.tone || "bar");
      return element("li", {}, element("i", { "data-tone": tone }), column.name);
    });
    return [element("ul", { class: "legend", role: "list" }, ...entries)];
  }

  #draw() {
    const colours = coloursOf(this);
    this.#chart?.destroy();
    this.#chart = new Chart(this.#canvas, {
      ...configOf(this.#kind, this.#data, colours, this.#options),
      plugins: [labels],
    });
    this.#chart.options.plugins.tooltip.callbacks = {
      title: ([item]) => (item ? rowName(this.#data, this.#rowOf(item)) : ""),
      label: (item) => this.#fact(item),
    };
  }

  get #options() {
    const bound = (name) => (this.hasAttribute(name) ? Number(this.getAttribute(name)) : undefined);
    const traits = (this.getAttribute("traits") ?? "").split(" ");
    return { low: bound("low"), high: bound("high"), span: bound("span"), traits };
  }

  #rowOf({ dataset, dataIndex }) {
    return dataset.data[dataIndex]?.row ?? dataIndex;
  }

  // "F1 .61 (.57 to .65)"
  #fact(item) {
    const { column } = item.dataset;
    const row = this.#rowOf(item);
    const at = this.#data.columns.indexOf(column);
    const [low, high] = [this.#data.columns[at + 1], this.#data.columns[at + 2]];
    const bounds = low?.role === "low" && low.texts[row] !== "–" ? ` (${low.texts[row]} to ${high.texts[row]})` : "";
    return `${column.name} ${column.texts[row]}${bounds}`;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#data.length - 1;
    const to = { Home: 0, End: last, Escape: -1 }[event.key];
    if (event.key in STEPS) this.#point(Math.min(Math.max(this.#at + STEPS[event.key], 0), last));
    else if (to !== undefined) this.#point(to);
    else return;
    event.preventDefault();
  }

  #point(row) {
    this.#mark(row);
    const told = this.querySelector("[aria-live]");
    if (told) told.textContent = row < 0 ? "" : sentence(this.#data, row);
  }

  // Without a word: a plot that comes anew every other second must not say its row each time.
  #mark(row) {
    this.#at = row;
    const marks = row < 0 ? [] : this.#marksOf(row);
    this.#chart.setActiveElements(marks);
    this.#chart.tooltip?.setActiveElements(marks, { x: 0, y: 0 });
    this.#chart.update("none");
  }

  #marksOf(row) {
    return this.#chart.data.datasets.flatMap((dataset, datasetIndex) => {
      if (dataset.isBackground) return [];
      const index = dataset.data.findIndex((point, at) => (point?.row ?? at) === row && heightIn(point) !== null);
      return index < 0 ? [] : [{ datasetIndex, index }];
    });
  }
}

customElements.define("data-plot", DataPlot);
