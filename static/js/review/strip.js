// The thin line at the foot: what was done, what is ready, which model speaks, and whether answers are saved.
import { element } from "lib/dom";
import { remembered } from "lib/memory";
import { showSaved } from "lib/saved";

const HOUR_MS = 3_600_000;
const PAUSE_MS = 5 * 60_000; // a longer gap between two answers is a break, not work
const FEWEST = 5; // fewer answers do not make a rate

const numbers = new Intl.NumberFormat("en");

// Counts of this person in this browser: today across reloads, pace and streak of the session. Finished reviews alone
// count, as on the server: what was skipped, unsure or broken answers nothing.
export class Tally {
  #today;
  #times = [];
  streak = 0;

  constructor({ name }) {
    this.#today = remembered(`tagger:today:${name}`, null);
  }

  get today() {
    const kept = this.#today.read();
    return kept?.day === day() ? kept.count : 0;
  }

  // The server counts what came from other browsers too.
  set today(count) {
    this.#today.write({ day: day(), count });
  }

  answered() {
    this.today += 1;
    this.#times.push(Date.now());
    this.streak += 1;
  }

  undone() {
    this.today = Math.max(this.today - 1, 0);
    this.#times.pop();
    this.streak = Math.max(this.streak - 1, 0);
  }

  // Images an hour over the time worked, breaks left out; null while there are too few to say.
  get rate() {
    if (this.#times.length < FEWEST) return null;
    let worked_ms = 0;
    for (let i = 1; i < this.#times.length; i += 1) {
      worked_ms += Math.min(this.#times[i] - this.#times[i - 1], PAUSE_MS);
    }
    return worked_ms ? Math.round(((this.#times.length - 1) * HOUR_MS) / worked_ms) : null;
  }
}

export class Strip {
  #root;

  constructor(root) {
    this.#root = root;
  }

  counts({ today, rate, streak, left }) {
    this.#text("today", numbers.format(today));
    this.#text("streak", numbers.format(streak));
    this.#optional("[data-strip-rate]", "rate", rate);
    this.#optional("[data-strip-left]", "left", left);
  }

  ready(count, size) {
    this.#text("ready", count);
    const pips = Array.from({ length: size }, (_, i) => element("i", { "data-empty": i >= count }));
    this.#root.querySelector("[data-pips]").replaceChildren(...pips);
  }

  model({ number, isWorking }) {
    const node = this.#root.querySelector("[data-model]");
    node.hidden = number === null && isWorking;
    node.querySelector(".dot").dataset.tone = isWorking ? "live" : "wait";
    const name = number ? `Model v${number}` : "First suggestions";
    this.#text("model", isWorking ? name : `${name}. No worker is running: suggestions wait`);
  }

  saved(answers) {
    showSaved(this.#root.querySelector("[data-saved]"), answers);
  }

  #optional(selector, name, value) {
    this.#root.querySelector(selector).hidden = value === null;
    if (value !== null) this.#text(name, numbers.format(value));
  }

  #text(name, value) {
    const node = this.#root.querySelector(`[data-strip="${name}"]`);
    if (node.textContent !== String(value)) node.textContent = value;
  }
}

function day() {
  return new Date().toLocaleDateString("sv");
}
