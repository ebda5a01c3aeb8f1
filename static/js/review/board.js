// The parts of the page that show one item: picture, caption, chips, tally, reason, and the sentence for screen readers.
import { captionNodes } from "lib/caption";
import { drawChips, redrawChip } from "lib/chips";
import { isBare } from "lib/queue";
import { Viewer } from "lib/viewer";
import { showPicture } from "review/picture";
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
    this.#letCaptionScroll();
    drawChips(this.#chips, selection, this.#hotkeyOf);
    this.#chips.parentElement.scrollTop = 0;
    this.#part("blind").hidden = !item.blind;
    this.#part("bare").hidden = !isBare(item);
    this.#part("why-text").textContent = whyText(item.why);
    this.#part("why").hidden = !item.why;
    this.#tally();
    const isWanted = () => this.#current.ahead === ahead;
    await showPicture({ viewer: this.viewer, box: this.#box, ahead, isWanted, remedy: "answer Broken" });
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

  // A caption that is longer than its box can be reached and scrolled by keyboard.
  #letCaptionScroll() {
    const box = this.#part("caption").parentElement;
    box.scrollTop = 0;
    if (box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
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
