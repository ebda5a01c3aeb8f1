// The guide beside the picture: what the tags of this image mean, then all others, with a search. Its tags come as parts
// of the guide's own page, which the browser keeps.
import { indexOf } from "lib/chips";
import { element } from "lib/dom";
import { letterOf } from "lib/keys";

const PAUSE_MS = 150; // between the last letter typed and the search

export class Guide {
  #tags;
  #dialog;
  #body;
  #search;
  #timer = null;
  #latest = new Map(); // place -> what was asked for it last

  // `tags` answers the ids of the tags that the item on screen is about, the one that was asked for first.
  constructor({ root, tags }) {
    this.#tags = tags;
    this.#dialog = root.querySelector("[data-guide]");
    this.#body = this.#dialog.querySelector("[data-guide-body]");
    this.#search = this.#dialog.querySelector("[data-guide-search]");
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), PAUSE_MS);
    });
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("click", (event) => this.#clicked(event));
  }

  open() {
    const tags = this.#tags();
    this.#search.value = "";
    this.#showWhole(true);
    this.#dialog.showModal();
    this.#body.scrollTop = 0;
    this.#body.focus();
    if (tags.length) this.#fill(this.#part("here"), `tags=${tags.join(",")}`);
    this.#fill(this.#part("rest"), "");
  }

  #key(event) {
    event.stopPropagation(); // nothing here is a keystroke of the review
    if (event.target === this.#search || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.#search.focus();
    else if (letterOf(event) === "g") this.#dialog.close();
    else return;
    event.preventDefault();
  }

  async #clicked(event) {
    const link = event.target.closest("[data-more]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const nodes = await this.#fetched(new URL(link.href).searchParams.toString());
    const place = link.closest("p");
    place.after(...nodes);
    place.nextElementSibling?.scrollIntoView({ block: "nearest" });
    place.remove();
    this.#body.focus();
  }

  #find() {
    const words = this.#search.value.trim();
    this.#showWhole(words === "");
    this.#fill(this.#part("rest"), words ? `q=${encodeURIComponent(words)}` : "");
  }

  // While something is searched for, what was found stands alone.
  #showWhole(isWhole) {
    for (const node of this.#dialog.querySelectorAll("[data-guide-whole]")) node.hidden = !isWhole;
    this.#part("here").hidden = !isWhole || !this.#tags().length;
    this.#part("rest-name").textContent = isWhole ? "All tags" : "Found";
  }

  // Of two answers for the same place the later asked for stays, whichever comes last.
  async #fill(section, query) {
    const place = section.querySelector("[data-guide-tags]");
    const asked = Symbol(query);
    this.#latest.set(place, asked);
    const nodes = await this.#fetched(query);
    if (this.#latest.get(place) === asked) place.replaceChildren(...nodes);
  }

  async #fetched(query) {
    try {
      const answer = await fetch(`${this.#dialog.dataset.address}?part=1&${query}`, {
        credentials: "same-origin",
        redirect: "error",
      });
      if (!answer.ok) throw new TypeError(`The server answered ${answer.status}.`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return [...page.body.children];
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return [element("p", { class: "muted small" }, "The guide cannot be fetched just now.")];
    }
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-guide-${name}]`);
  }
}

// The tags of an item's chips: that of the focused chip first, then in their order. New ones have no id yet.
export function tagsOfChips(root, current) {
  const chips = current?.selection.chips ?? [];
  const focused = document.activeElement?.closest(".chip");
  const first = focused && root.contains(focused) ? chips[indexOf(focused)] : null;
  const ordered = first ? [first, ...chips.filter((chip) => chip !== first)] : chips;
  return ordered.map((chip) => chip.tag.id).filter((id) => id !== null);
}
