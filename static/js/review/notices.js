// One sentence at a time in the bar, over no picture. A warning stays until it is put away; the rest leaves by itself.
import { element, icon } from "lib/dom";

const SHOWN_MS = 7000;

export class Notices {
  #root;
  #timer = null;
  #onDismiss = null;

  constructor(root) {
    this.#root = root;
  }

  say(text, { tone = "", onDismiss = null } = {}) {
    if (this.#onDismiss && !onDismiss) return; // A warning is not pushed away by a remark.
    clearTimeout(this.#timer);
    this.#onDismiss = onDismiss;
    this.#root.dataset.tone = tone;
    this.#root.replaceChildren(element("span", {}, text));
    if (onDismiss) this.#root.append(this.#closing());
    else this.#timer = setTimeout(() => this.clear(), SHOWN_MS);
  }

  clear() {
    this.#onDismiss = null;
    this.#root.replaceChildren();
  }

  #closing() {
    const attributes = {
      class: "button",
      type: "button",
      "data-kind": "ghost",
      "data-size": "s",
      "data-shape": "icon",
      "aria-label": "Put away",
    };
    const button = element("button", attributes, icon("x"));
    button.addEventListener("click", () => {
      const dismissed = this.#onDismiss;
      this.clear();
      dismissed?.();
    });
    return button;
  }
}
