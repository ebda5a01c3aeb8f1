// The parts of the page that show one item: picture, caption, chips, tally, reason, and the sentence for screen readers.
import { captionNodes } from "lib/caption";
import { drawChips, redrawChip } from "lib/chips";
import { element, icon } from "lib/dom";
import { Viewer } from "lib/viewer";
import { whyText } from "review/why";

export class Board {
  #root;
  #chips;
  #box;
  #hotkeyOf;
  #current = null;

  constructor(root, { hotkeyOf }) {
    this.#root = root;
    this.#hotkeyOf = hotkeyOf;
    this.#chips = this.#part("chips");
    this.#box = this.#part("picture");
    this.viewer = new Viewer({ stage: root.querySelector(".stage"), box: this.#box });
  }

  // Resolves when the picture stands in the page. Whatever was waiting for an earlier item is dropped.
  async show(current) {
    this.#current = current;
    const { ahead, selection } = current;
    const { item } = ahead;
    this.#part("caption").replaceChildren(...captionNodes(item.image.caption ?? "", selection.chips));
    drawChips(this.#chips, selection, this.#hotkeyOf);
    this.#chips.parentElement.scrollTop = 0;
    this.#part("blind").hidden = !item.blind;
    this.#part("why-text").textContent = whyText(item.why);
    this.#part("why").hidden = !item.why;
    this.#tally();
    await this.#picture(ahead);
  }

  toggled(index) {
    redrawChip(this.#chips, this.#current.selection, index);
    this.#tally();
  }

  redraw() {
    drawChips(this.#chips, this.#current.selection, this.#hotkeyOf);
    this.#tally();
  }

  say(text) {
    this.#part("live").textContent = text;
  }

  // What a screen reader hears when an item comes up.
  introduction(item, selection) {
    const offered = selection.chips.filter((chip) => chip.on).map((chip) => chip.tag.name);
    const caption = item.image.caption ? `${item.image.caption} ` : "";
    if (item.blind) return `Image. ${caption}Tag this one without suggestions.`;
    return `Image. ${caption}${offered.length ? `On: ${offered.join(", ")}.` : "No tag is on."}`;
  }

  async #picture(ahead) {
    if (!ahead.isReady) {
      this.viewer.show(null);
      this.#box.setAttribute("aria-busy", "true");
      await ahead.ready;
      if (this.#current.ahead !== ahead) return;
    }
    this.#box.removeAttribute("aria-busy");
    this.viewer.show(ahead.picture);
    if (!ahead.picture) this.#box.replaceChildren(unshown());
  }

  #tally() {
    const { selection } = this.#current;
    const total = selection.chips.length;
    this.#part("tally").textContent = total ? `${selection.onCount} of ${total} on` : "";
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }
}

function unshown() {
  const text = element("p", {}, "This picture cannot be shown. If it stays so, answer Broken.");
  return element("div", { class: "unshown" }, icon("broken"), text);
}
