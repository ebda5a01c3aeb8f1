// <answer-wall data-keys="f:fix k:keep">: keys for many small questions. Arrows move, a letter presses the button of
// that data-act, Z takes the last answer back.
// Without this module the forms inside do the same by mouse and Tab; htmx brings what was answered back in its place.
import { letterOf } from "lib/keys";

const TYPING = "input:not([type=hidden]), textarea, select";

class AnswerWall extends HTMLElement {
  #listeners = null;
  #at = 0;
  #answered = []; // indices, the last one at the end

  connectedCallback() {
    this.#listeners = new AbortController();
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "keydown", (event) => this.#key(event));
    on(this, "focusin", (event) => this.#focused(event.target));
    on(this, "htmx:afterSettle", () => this.#arrived());
    on(this, "htmx:responseError", () => this.#say("Not stored: the server refused it. Load the page again."));
    on(this, "htmx:sendError", () => this.#say("Not stored: the server cannot be reached."));
    this.#moveTabStop();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  get #acts() {
    return new Map(this.dataset.keys.split(" ").map((pair) => pair.split(":")));
  }

  get #rows() {
    return [...this.querySelectorAll("[data-row]")];
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (event.target.matches(TYPING)) return;
    const step = this.#stepOf(event.key);
    if (step) {
      if (!this.contains(event.target) && event.target.closest("a, button, summary")) return;
      this.#focus(this.#at + step);
      return event.preventDefault();
    }
    if (!this.hasAttribute("data-single-keys")) return;
    const act = this.#acts.get(letterOf(event));
    if (act && this.#press(this.#at, act)) event.preventDefault();
    else if (letterOf(event) === "z" && this.#undo()) event.preventDefault();
  }

  // How many places an arrow moves; up and down go by a row of the grid.
  #stepOf(key) {
    const columns = getComputedStyle(this.querySelector("ul")).gridTemplateColumns.split(" ").length;
    return { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
  }

  #press(index, act) {
    const button = this.#rows[index]?.querySelector(`[data-act="${act}"]`);
    if (!button) return false;
    this.#at = index;
    button.click(); // htmx sends the button that was pressed
    return true;
  }

  #undo() {
    const last = this.#answered.at(-1);
    return last !== undefined && this.#press(last, "undo");
  }

  // What was answered has come back in its place, or what was taken back.
  #arrived() {
    const row = this.#rows[this.#at];
    const isDone = row?.hasAttribute("data-done");
    this.#answered = this.#answered.filter((index) => index !== this.#at);
    if (isDone) {
      if (row.querySelector('[data-act="undo"]')) this.#answered.push(this.#at);
      this.#say(row.querySelector("[data-verdict]").textContent.trim());
    } else this.#say("Taken back.");
    document.querySelector("[data-undo-hint]").hidden = this.#answered.length === 0;
    this.#focus(isDone ? this.#nextOpen() : this.#at);
  }

  #nextOpen() {
    const rows = this.#rows;
    const order = [...rows.keys()].map((step) => (this.#at + step) % rows.length);
    return order.find((index) => !rows[index].hasAttribute("data-done")) ?? this.#at;
  }

  #focused(target) {
    const index = this.#rows.indexOf(target.closest("[data-row]"));
    if (index < 0) return;
    this.#at = index;
    this.#moveTabStop();
  }

  #focus(index) {
    if (index < 0 || index >= this.#rows.length) return;
    this.#at = index;
    this.#moveTabStop();
    this.#rows[index].focus();
  }

  #moveTabStop() {
    this.#rows.forEach((row, index) => (row.tabIndex = index === this.#at ? 0 : -1));
  }

  #say(text) {
    this.querySelector("[data-said]").textContent = text;
  }
}

customElements.define("answer-wall", AnswerWall);
