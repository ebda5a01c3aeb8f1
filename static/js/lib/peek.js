// The panel beside the gallery's wall: one image larger, with the parts of its own page, which answer there as here.
// It opens where there is room for it; elsewhere a tile leads to the page.
import { element } from "lib/dom";

const ROOM = matchMedia("(min-width: 72.01rem)");

export class Peek {
  #panel;
  #live;
  #tileOf;
  #href = null;
  #asked = null;
  #marked = null;

  // `tileOf` finds the tile of an address, wherever its page of tiles has gone.
  constructor({ panel, live, tileOf, signal }) {
    this.#panel = panel;
    this.#live = live;
    this.#tileOf = tileOf;
    panel.addEventListener("click", (event) => this.#clicked(event), { signal });
    ROOM.addEventListener("change", () => !ROOM.matches && this.close(), { signal });
  }

  get fits() {
    return ROOM.matches;
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  // Open, or on its way.
  get isAsked() {
    return this.isOpen || this.#panel.hasAttribute("aria-busy");
  }

  // Whether the key belongs to the panel itself, not to something in it.
  isAt(target) {
    return target === this.#panel;
  }

  // Show the image of this address. With `stays` the focus stays on the wall.
  async open(href, { stays = false } = {}) {
    this.#href = href;
    this.#asked?.abort();
    this.#asked = new AbortController();
    this.#panel.setAttribute("aria-busy", "true");
    const nodes = await fetched(href, this.#asked.signal);
    if (!nodes) return;
    this.#panel.replaceChildren(...nodes);
    this.#panel.hidden = false;
    this.#panel.removeAttribute("aria-busy");
    this.#panel.scrollTop = 0;
    window.htmx.process(this.#panel);
    if (!stays) this.#panel.focus({ preventScroll: true });
    this.mark();
    this.#live.textContent = this.#panel.querySelector("[data-spoken]")?.dataset.spoken ?? "";
  }

  // The tile of the image that is shown stands out and is in sight.
  mark() {
    this.#marked?.removeAttribute("aria-current");
    this.#marked = this.isOpen ? this.#link : null;
    this.#marked?.setAttribute("aria-current", "true");
    this.#marked?.closest(".tile").scrollIntoView({ block: "nearest" });
  }

  // More of the wall has come: what is shown may be in it. A wall that somebody scrolls is left where it is.
  grown() {
    if (this.isOpen && !this.#marked) this.mark();
  }

  // What is still on its way does not open any more.
  close() {
    this.#asked?.abort();
    this.#panel.removeAttribute("aria-busy");
    if (!this.isOpen) return;
    const hadFocus = this.#panel.contains(document.activeElement) || document.activeElement === document.body;
    const link = this.#link;
    this.#panel.hidden = true;
    this.#panel.replaceChildren();
    this.#live.textContent = "";
    this.mark();
    if (hadFocus) link?.focus();
  }

  get #link() {
    return this.#tileOf(this.#href)?.querySelector("a");
  }

  #clicked(event) {
    if (event.target.closest("[data-peek-close]")) return this.close();
    const way = event.target.closest("a[rel]");
    if (!way || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.open(way.href);
  }
}

// The parts to show; null where a later one was asked for. What cannot be fetched is told, with the way to the page.
async function fetched(href, signal) {
  const address = new URL(href, location.href);
  address.searchParams.set("panel", "1");
  try {
    const headers = { "HX-Request": "true" };
    const answer = await fetch(address, { credentials: "same-origin", redirect: "error", headers, signal });
    if (answer.status !== 200) throw new TypeError(`The server answered ${answer.status}.`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return [...page.body.childNodes];
  } catch (error) {
    if (error.name === "AbortError") return null;
    if (!(error instanceof TypeError)) throw error;
    return [
      element("h2", { id: "peek-title" }, "Not to be had just now"),
      element("p", { class: "muted small" }, "The image cannot be fetched. ", element("a", { href }, "Try its page")),
      element("button", { class: "button", type: "button", "data-peek-close": true }, "Close"),
    ];
  }
}
