// <image-wall>: picking many images by mouse and keys, the question before something is done with them, a look at one
// beside the wall, and a wall whose far pages leave the document. Without this module checkboxes, forms and links
// inside do the same.
import { Api } from "lib/api";
import { element } from "lib/dom";
import { FarPages } from "lib/far-pages";
import { letterOf } from "lib/keys";
import { Peek } from "lib/peek";

const TYPING = "input:not([type=checkbox]), textarea, select";

class ImageWall extends HTMLElement {
  #listeners = null;
  #picked = new Set();
  #last = null; // the box that was picked last: a range with Shift starts there
  #pages = null;
  #peek = null;
  #isWorking = false; // whether an action on many images is under way

  connectedCallback() {
    this.#listeners = new AbortController();
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "click", (event) => this.#clicked(event));
    on(this, "change", (event) => this.#changed(event.target));
    on(document, "keydown", (event) => this.#key(event));
    on(document.body, "htmx:afterSwap", (event) => this.#swapped(event.target));
    on(this.#dialog, "close", () => this.#dialog.replaceChildren());
    this.#pages = new FarPages(this.querySelector("[data-walls]"), () => this.#show());
    this.#peek = new Peek({
      panel: this.querySelector("[data-peek]"),
      live: this.querySelector("[data-peek-say]"),
      tileOf: (href) => this.#tileOf(href),
      signal: this.#listeners.signal,
    });
    this.#isWorking = document.querySelector("[data-bulk-live]").hasAttribute("hx-get");
    this.#all.checked = false;
    for (const box of this.#boxes) if (box.checked) this.#picked.add(box.value);
    this.#tell();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#pages.stop();
  }

  get #boxes() {
    return [...this.querySelectorAll("[name=picked]")];
  }

  get #all() {
    return this.querySelector("[data-all]");
  }

  get #dialog() {
    return this.querySelector("[data-confirm]");
  }

  #clicked(event) {
    if (event.target.closest("[data-clear]")) return this.#clear();
    if (event.target.closest("[data-close]") && this.#dialog.open) {
      event.preventDefault();
      return this.#dialog.close();
    }
    const tile = event.target.closest(".walls .tile");
    if (!tile) return;
    if (event.target.closest("[data-peek-open]")) return this.#peek.open(tile.querySelector("a").href);
    // While something is picked, a press on a picture with Ctrl or Shift picks too, as in a file manager.
    const onPicture = event.target.closest("a");
    if (onPicture && !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
    const box = tile.querySelector("[name=picked]");
    if (onPicture) {
      event.preventDefault();
      box.checked = !box.checked;
    } else if (event.target !== box) return; // the label passes the press on to its box
    this.#pick(box, event.shiftKey);
  }

  #changed(target) {
    if (target === this.#all) this.#show();
  }

  #pick(box, isRange) {
    const boxes = this.#boxes;
    const from = isRange && this.#last ? boxes.indexOf(this.#last) : -1;
    const at = boxes.indexOf(box);
    const range = from < 0 ? [box] : boxes.slice(Math.min(from, at), Math.max(from, at) + 1);
    for (const one of range) {
      if (box.checked) this.#picked.add(one.value);
      else this.#picked.delete(one.value);
    }
    this.#last = box;
    if (!box.checked) this.#all.checked = false;
    this.#show();
  }

  #clear() {
    this.#picked.clear();
    this.#all.checked = false;
    this.#show();
  }

  // The boxes follow what is picked, also those of pages that have just come back.
  #show() {
    const all = this.#all.checked;
    for (const box of this.#boxes) box.checked = all || this.#picked.has(box.value);
    this.#tell();
  }

  #tell() {
    const all = this.#all.checked;
    this.toggleAttribute("data-some", all || this.#picked.size > 0);
    this.querySelector("[data-ids]").value = [...this.#picked].join(",");
    const text = all ? "All" : this.#picked.size.toLocaleString("en");
    this.querySelector("[data-count]").replaceChildren(element("b", {}, text), element("span", { class: "wide-only" }, " picked"));
  }

  #key(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (this.#dialog.open || event.target.matches(TYPING)) return;
    const key = letterOf(event);
    const isAll = key === "a" && (event.ctrlKey || event.metaKey);
    if (!isAll && (event.ctrlKey || event.metaKey)) return;
    const tile = event.target.closest?.(".walls .tile");
    const looks = key === " " && (this.#peek.isAt(event.target) || event.target.matches(".walls .tile a"));
    if (isAll) {
      this.#all.checked = true;
      this.#show();
    } else if (looks && this.#peek.fits) this.#look(tile);
    else if (tile && (key === "x" || looks)) {
      const box = tile.querySelector("[name=picked]");
      box.checked = !box.checked;
      this.#pick(box, event.shiftKey);
    } else if ((key === "arrowright" || key === "arrowleft") && tile) {
      this.#move(tile, key === "arrowright" ? 1 : -1);
    } else if (key === "escape" && this.#peek.isAsked) this.#peek.close();
    else if (key === "escape" && this.hasAttribute("data-some")) this.#clear();
    else if (this.#peek.isOpen && event.target.closest?.("[data-peek]")) return;
    else if (key === "/") document.querySelector("[data-search]").focus();
    else if (!this.hasAttribute("data-some")) return;
    else if (key === "t") this.#openTags();
    else if (key === "q") this.querySelector("[data-act=queue]").click();
    else return;
    event.preventDefault();
  }

  #move(tile, step) {
    const links = [...this.querySelectorAll(".walls .tile a")];
    const link = links[links.indexOf(tile.querySelector("a")) + step];
    link?.focus();
    if (link && this.#peek.isOpen) this.#peek.open(link.href, { stays: true });
  }

  // A second press of the key closes the panel, on the panel itself or on the tile that it shows.
  #look(tile) {
    const link = tile?.querySelector("a");
    if (!link || (this.#peek.isOpen && link.hasAttribute("aria-current"))) this.#peek.close();
    else this.#peek.open(link.href);
  }

  // Pages of the wall that are still to come are asked for when their first image is shown.
  #tileOf(href) {
    const id = /\/gallery\/(\d+)\//.exec(href)?.[1];
    const box = this.#pages.find(`[name=picked][value="${id}"]`);
    if (!box) this.querySelector(".wall-more")?.scrollIntoView({ block: "nearest" });
    return box?.closest(".tile");
  }

  // An action has ended: its images say something else now, or are gone. A page that cannot be fetched stays as it is.
  async #freshen() {
    for (const page of this.querySelectorAll("[data-page]")) {
      const now = await fetched(page.dataset.page);
      if (!now) continue;
      this.#pages.replace(page, now.querySelector("[data-page]")?.children ?? []);
      const [count, counted] = [document, now].map((one) => one.querySelector(".page-head .num"));
      if (counted) count.textContent = counted.textContent;
    }
    this.#show();
    this.#peek.mark();
  }

  #openTags() {
    this.querySelector("[data-tag-menu]").open = true;
    this.querySelector("[data-tag-menu] input").focus();
  }

  // A new page of tiles, the question in its dialog, or the answer to it.
  #swapped(target) {
    if (target === this.#dialog) {
      if (!this.#dialog.open) this.#dialog.showModal();
    } else if (target.matches?.("[data-bulk-live]")) {
      if (this.#dialog.open) {
        this.#dialog.close();
        this.#clear();
      }
      const isWorking = target.hasAttribute("hx-get");
      if (this.#isWorking && !isWorking) this.#freshen();
      this.#isWorking = isWorking;
    } else if (target.closest?.("[data-walls]")) {
      if (this.#all.checked) this.#show();
      this.#peek.grown();
    }
  }
}

async function fetched(address) {
  const answer = await fetch(address, { credentials: "same-origin", redirect: "error" }).catch(() => null);
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

customElements.define("image-wall", ImageWall);

// The order is applied as soon as it is chosen; without script the filter's button does it.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// An empty field says nothing in the address.
document.querySelector("#gallery-filters")?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});

// Names of tags are offered while one types: any list of thousands stays on the server.
const list = document.querySelector("[data-tag-list]");
if (list) {
  const api = new Api(`${location.pathname.replace(/^\/projects\/(\d+)\/.*/, "/api/v1/projects/$1/")}`);
  let asked = null;
  const offer = async (field) => {
    asked?.abort();
    asked = new AbortController();
    const query = field.value.trim();
    const path = query ? `tags/?q=${encodeURIComponent(query)}&limit=12` : "tags/?limit=50";
    try {
      const { results } = await api.get(path, { signal: asked.signal });
      list.replaceChildren(...results.map((tag) => element("option", { value: tag.name })));
    } catch {
      // Offline or overtaken: what is typed counts all the same.
    }
  };
  for (const name of ["focusin", "input"]) {
    document.addEventListener(name, (event) => {
      if (event.target.matches("[data-tag-field]")) offer(event.target);
    });
  }
}
