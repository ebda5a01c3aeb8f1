// <proposal-list>: keys, picking many, the tag to make a synonym of, and focus that survives a new list. Without this
// module the forms and links inside do the same, one page at a time.
import { Api } from "lib/api";
import { letterOf } from "lib/keys";
import { remembered } from "lib/memory";
import { TypeAhead } from "lib/typeahead";

const TOLD_MS = 12_000;
const TYPING = "input:not([type=checkbox]), textarea, select";

class ProposalList extends HTMLElement {
  #listeners = null;
  #typeahead = null;
  #at = 0; // the row that has or had the focus
  #hadFocus = false;
  #ready = null;
  #timer = null;

  connectedCallback() {
    this.#listeners = new AbortController();
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "keydown", (event) => this.#key(event));
    on(this, "focusin", (event) => this.#focused(event.target));
    on(this, "click", (event) => this.#clicked(event));
    on(this, "change", (event) => this.#changed(event.target));
    on(this, "htmx:beforeRequest", () => (this.#hadFocus = this.contains(document.activeElement)));
    on(this, "htmx:afterSettle", () => this.#arrived());
    this.#typeahead = new TypeAhead({
      root: this.#dialog.querySelector("[data-typeahead]"),
      api: new Api(this.dataset.api),
      canCreate: false,
      memory: remembered(`tagger:recent:${this.dataset.name}`, []),
    });
    on(this.#typeahead, "pick", (event) => this.#chosen(event.detail));
    on(this.#dialog, "keydown", (event) => {
      if (event.key === "Escape") this.#dialog.close(); // the field takes the key for itself
    });
    on(this.#dialog, "close", () => this.#focus(this.#at));
    this.#arrived();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearTimeout(this.#timer);
  }

  get #dialog() {
    return this.querySelector("[data-synonym]");
  }

  get #rows() {
    return [...this.querySelectorAll("[data-row]")];
  }

  // After the page or a new list has come: one row is in the tab order, and the focus is where it was.
  #arrived() {
    const rows = this.#rows;
    this.#at = Math.min(this.#at, rows.length - 1);
    rows.forEach((row, index) => (row.tabIndex = index === Math.max(this.#at, 0) ? 0 : -1));
    if (this.#hadFocus && !this.#dialog.open) this.#focus(this.#at);
    this.#hadFocus = false;
    this.#count();
    const count = this.querySelector("[data-live]")?.dataset.count;
    const shown = document.querySelector("[data-proposed-count]");
    if (count !== undefined && shown) shown.textContent = Number(count).toLocaleString("en");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#forgetToast(), TOLD_MS);
  }

  #forgetToast() {
    const toast = this.querySelector(".toast-place");
    if (!toast) return;
    if (toast.matches(":hover, :focus-within")) this.#timer = setTimeout(() => this.#forgetToast(), TOLD_MS);
    else toast.remove();
  }

  #focused(target) {
    const row = target.closest("[data-row]");
    if (!row) return;
    this.#rows.forEach((other, index) => {
      other.tabIndex = other === row ? 0 : -1;
      if (other === row) this.#at = index;
    });
  }

  #focus(index) {
    const row = this.#rows[index];
    if (row) row.focus();
    else this.querySelector(".toast .button, .empty .button")?.focus();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (this.#dialog.open || event.target.matches(TYPING)) return;
    const key = letterOf(event);
    if (key === "z" && this.#press(this, "undo")) return event.preventDefault();
    const row = event.target.closest("[data-row]");
    if (!row) return;
    const step = { arrowdown: 1, arrowup: -1 }[key];
    const act = { a: "adopt", s: "synonym", x: "dismiss" }[key];
    if (step) this.#focus(Math.min(Math.max(this.#at + step, 0), this.#rows.length - 1));
    else if (key === " " && event.target === row) this.#pick(row);
    else if (key === "s") this.#ask(row);
    else if (!act || !this.#press(row, act)) return;
    event.preventDefault();
  }

  #press(root, act) {
    const button = root.querySelector(`[data-act="${act}"]`);
    button?.click();
    return Boolean(button);
  }

  #clicked(event) {
    const link = event.target.closest('a[data-act="synonym"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#ask(link.closest("[data-row]"));
  }

  // Which tag is the word another word for? The dialog asks, and the form beside it is sent.
  async #ask(row) {
    // Offline there is no first page of tags, and what is typed is asked for all the same.
    this.#ready ??= this.#typeahead.prepare().catch(() => (this.#ready = null));
    await this.#ready;
    this.#form.elements.alias.value = row.dataset.row;
    this.querySelector("[data-synonym-word]").textContent = row.dataset.word;
    this.#dialog.showModal();
    this.#typeahead.open();
  }

  #chosen(tag) {
    this.#form.elements.tag.value = tag.id;
    this.#dialog.close();
    this.#form.requestSubmit();
  }

  get #form() {
    return this.querySelector("[data-synonym-form]");
  }

  #pick(row) {
    const box = row.querySelector("[name=picked]");
    box.checked = !box.checked;
    this.#count();
  }

  #changed(box) {
    if (box.matches("[data-pick-all]")) {
      for (const one of this.querySelectorAll("[name=picked]")) one.checked = box.checked;
    }
    this.#count();
  }

  #count() {
    const boxes = [...this.querySelectorAll("[name=picked]")];
    const picked = boxes.filter((box) => box.checked).length;
    const bulk = this.querySelector("[data-bulk]");
    if (!bulk) return;
    bulk.querySelector("[data-picked]").textContent = picked ? `${picked} picked` : "";
    bulk.querySelector("[data-pick-all]").checked = picked > 0 && picked === boxes.length;
    bulk.toggleAttribute("data-some", picked > 0);
  }
}

customElements.define("proposal-list", ProposalList);
