// <image-answers>: type-ahead for the tag to add, keys for what stands on the page, focus that survives an answer, and
// what was read in the caption. Without this module the forms and links do the same.
import { Api } from "lib/api";
import { markCaption } from "lib/caption";
import { letterOf } from "lib/keys";
import { remembered } from "lib/memory";
import { TypeAhead } from "lib/typeahead";

const TYPING = "input, textarea, select";
const WAYS = { arrowleft: "a[rel=prev]", arrowright: "a[rel=next]", z: "[data-undo]" };

class ImageAnswers extends HTMLElement {
  #listeners = null;
  #prepared = null;
  #pressed = null; // the button that was pressed last: an answer replaces it

  connectedCallback() {
    this.#listeners = new AbortController();
    const signal = this.#listeners.signal;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener("click", (event) => (this.#pressed = event.target.closest("button[name]")), { signal });
    this.addEventListener("htmx:afterSettle", () => this.#arrived(), { signal });
    markCaption(document);
    this.#arrived();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #arrived() {
    const root = this.querySelector("[data-typeahead]");
    if (root.dataset.ready) return;
    root.dataset.ready = "true";
    const typeahead = new TypeAhead({
      root,
      api: new Api(this.dataset.api),
      canCreate: false,
      memory: remembered(`tagger:recent:${this.dataset.name}`, []),
    });
    this.#prepared = typeahead;
    typeahead.addEventListener("pick", (event) => {
      const button = this.querySelector("[data-typed]");
      button.value = event.detail.id;
      button.click(); // htmx sends the button that was pressed
    });
    // Offline there is no first page of tags; what is typed is asked for all the same.
    typeahead.prepare().catch(() => {});
    if (this.#pressed) this.#focusAfter(this.#pressed);
    this.#pressed = null;
  }

  // To the field after what was typed, else to a button of the same tag, wherever the answer has put it.
  #focusAfter({ name, value, dataset }) {
    if ("typed" in dataset) return this.querySelector("[data-typeahead] input").focus();
    const ofTag = `button:is([name=yes], [name=no])[value="${value}"]:not([data-typed])`;
    const same = name !== "undo" && this.querySelector(ofTag);
    (same || this.querySelector("[data-facts]")).focus();
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches(TYPING)) return;
    const key = letterOf(event);
    const way = WAYS[key] && document.querySelector(WAYS[key]);
    if (key === "t" || key === "/") this.#prepared.open();
    else if (way) way.click();
    else return;
    event.preventDefault();
  }
}

customElements.define("image-answers", ImageAnswers);
