// The pictures of one page: how many fit the window, which is marked no, and where the keyboard is. One tile is in the
// tab order; a tile is a checkbox, so Space, a click and a form without script mean the same.
import { element } from "lib/dom";

const TILE_PX = 216; // a comfortable width; tiles share out what is left over
const HEIGHT = 0.74; // of a tile's width
const PHONE = matchMedia("(max-width: 45rem)");

// Events: "mark" (detail: tile, isNo).
export class Grid extends EventTarget {
  #root;
  #mould;
  #gallery;
  #at = 0;
  #columns = 1;
  tiles = [];

  constructor({ root, mould, gallery }) {
    super();
    this.#root = root;
    this.#mould = mould;
    this.#gallery = gallery;
    root.addEventListener("change", (event) => this.#changed(event.target));
    root.addEventListener("focusin", (event) => this.#focused(event.target));
  }

  // How many tiles the window holds now; the grid is laid out for as many.
  fit() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    this.#columns = PHONE.matches ? 2 : Math.min(Math.max(Math.round(width / TILE_PX), 3), 9);
    const rows = Math.max(Math.round(height / ((width / this.#columns) * HEIGHT)), 1);
    this.#root.style.setProperty("--columns", this.#columns);
    this.#root.style.setProperty("--rows", rows);
    return this.#columns * rows;
  }

  // `no`: ids that are marked, as on a page that comes back; without it, what the model offers is a yes. `isSame`: the
  // page on screen with more or fewer tiles.
  show(tiles, no = null, { isSame = false } = {}) {
    const hadFocus = this.#root.contains(document.activeElement) || document.activeElement === document.body;
    this.tiles = tiles;
    this.#root.replaceChildren(...tiles.map((tile) => this.#draw(tile, no)));
    this.#at = isSame ? Math.min(this.#at, tiles.length - 1) : 0;
    if (tiles.length && hadFocus) this.focus();
    else this.#moveTabStop();
  }

  get no() {
    return this.tiles.filter((_, index) => this.#box(index).checked).map(({ id }) => id);
  }

  get current() {
    return this.tiles[this.#at] ?? null;
  }

  contains(node) {
    return this.#root.contains(node);
  }

  focus(index = this.#at) {
    this.#at = Math.min(Math.max(index, 0), this.tiles.length - 1);
    this.#moveTabStop();
    this.#box(this.#at)?.focus({ preventScroll: true });
  }

  // One step; up and down stay in their column, and past an end nothing moves.
  move(across, down) {
    this.moveTo(across, down);
    this.focus();
  }

  // The same without taking the focus, which a dialog may have.
  moveTo(across, down) {
    const next = this.#at + across + down * this.#columns;
    if (next < 0 || next >= this.tiles.length) return;
    this.#at = next;
    this.#moveTabStop();
  }

  // Makes the tile of this list item the current one.
  at(item) {
    this.#at = Math.max([...this.#root.children].indexOf(item), 0);
    this.#moveTabStop();
  }

  toggle(index = this.#at) {
    this.#box(index)?.click();
  }

  #box(index) {
    return this.#root.children[index]?.querySelector("input");
  }

  #draw(tile, no) {
    const item = this.#mould.content.firstElementChild.cloneNode(true);
    const box = item.querySelector("input");
    box.value = tile.id;
    box.checked = no ? no.includes(tile.id) : !tile.offered;
    if (!tile.offered && box.checked && !no) item.dataset.set = "model";
    item.querySelector("[data-score]").textContent = Math.round(tile.score * 100);
    item.querySelector("img").replaceWith(pictureOf(tile));
    const link = item.querySelector(".enlarge");
    link.href = `${this.#gallery}${tile.id}/`;
    link.tabIndex = -1;
    return item;
  }

  #changed(box) {
    const index = [...this.#root.children].indexOf(box.closest("li"));
    if (index < 0) return;
    delete this.#root.children[index].dataset.set;
    this.dispatchEvent(new CustomEvent("mark", { detail: { tile: this.tiles[index], isNo: box.checked } }));
  }

  #focused(target) {
    const index = [...this.#root.children].indexOf(target.closest("li"));
    if (index < 0) return;
    this.#at = index;
    this.#moveTabStop();
  }

  #moveTabStop() {
    this.tiles.forEach((_, index) => (this.#box(index).tabIndex = index === this.#at ? 0 : -1));
  }
}

function pictureOf({ picture, caption, name, width_px: width, height_px: height }) {
  const shown = picture ?? element("img");
  shown.alt = caption || name;
  shown.width = width;
  shown.height = height;
  shown.draggable = false;
  return shown;
}
