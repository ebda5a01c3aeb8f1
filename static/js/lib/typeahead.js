// An accessible combobox over the whole vocabulary: the server ranks (prefix, typos, aliases), what this person used
// lately comes first, "Create" comes last where it is allowed. Works from memory while the network is away.
import { ApiError } from "lib/api";
import { element, icon } from "lib/dom";
import { capOf } from "lib/keys";

const WAIT_MS = 40;
const SHOWN = 8;
const RECENT = 12;
const FORGETFUL = { read: () => [], write() {} };

export class TypeAhead extends EventTarget {
  #input;
  #list;
  #cap; // the key printed in the field: the one that opens it, or the one that leaves it
  #ownCap = "";
  #api;
  #asked = null;
  #timer = null;
  #options = [];
  #active = -1;
  #answers = new Map();
  #vocabulary = [];
  #keeps;
  #without;

  // Events: "pick" (detail: {id, name}; id is null for a new tag). With `keeps` it completes a field of a form: what
  // was picked stays in it, and it opens when somebody types or asks by an arrow. `without`: the id of a tag that is
  // left out.
  constructor({ root, api, canCreate = false, memory = FORGETFUL, keeps = false, without = null }) {
    super();
    this.#keeps = keeps;
    this.#without = without;
    this.#input = root.querySelector("input");
    this.#list = root.querySelector("[role=listbox]");
    this.#cap = root.querySelector(".key");
    this.#api = api;
    this.canCreate = canCreate;
    this.memory = memory; // where recent tags are kept: {read(), write(tags)}
    this.#input.addEventListener("input", () => this.#later());
    this.#input.addEventListener("focus", () => {
      if (keeps) return;
      this.#ownCap = this.#cap.textContent;
      this.#cap.textContent = capOf("Escape");
      this.#later();
    });
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("blur", () => this.#shut());
    // The field keeps its focus while an option is pressed.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.#pick(this.#options[Number(row.dataset.index)]);
    });
  }

  open() {
    this.#input.focus();
    this.#input.select();
  }

  // Loads a first page of the vocabulary; answers how many tags that page holds.
  async prepare() {
    const { results } = await this.#api.get("tags/?limit=200");
    this.#vocabulary = results;
    if (this.#keeps && !this.#list.hidden) this.#later();
    return results.length;
  }

  // The vocabulary has changed: what was answered before is asked again.
  forget() {
    this.#answers.clear();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), this.#input.value ? WAIT_MS : 0);
  }

  async #ask() {
    this.#asked?.abort();
    this.#asked = new AbortController();
    const query = this.#input.value.trim();
    try {
      this.#show(query, await this.#find(query, this.#asked.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      this.#show(query, this.#fromMemory(query));
    }
  }

  async #find(query, signal) {
    if (!query) return this.memory.read().concat(this.#vocabulary);
    const known = this.#answers.get(query);
    if (known) return known;
    const { results } = await this.#api.get(`tags/?q=${encodeURIComponent(query)}&limit=${SHOWN}`, {
      signal,
    });
    this.#answers.set(query, results);
    return results;
  }

  #fromMemory(query) {
    const key = fold(query);
    return this.#vocabulary.filter((tag) =>
      [tag.name, ...(tag.aliases ?? [])].some((word) => fold(word).includes(key)),
    );
  }

  #show(query, found) {
    if (document.activeElement !== this.#input) return;
    const recent = new Set(this.memory.read().map((tag) => tag.id));
    const once = [...new Map(found.map((tag) => [tag.id, tag])).values()].filter(
      (tag) => tag.id !== this.#without,
    );
    const ranked = [
      ...once.filter((tag) => recent.has(tag.id)),
      ...once.filter((tag) => !recent.has(tag.id)),
    ];
    this.#options = (query ? rankExact(ranked, query) : ranked).slice(0, SHOWN);
    const isKnown = once.some((tag) =>
      [tag.name, ...(tag.aliases ?? [])].some((word) => fold(word) === fold(query)),
    );
    if (query && this.canCreate && !isKnown) this.#options.push({ id: null, name: query });
    this.#list.replaceChildren(...this.#options.map((tag, index) => this.#row(tag, index, query, recent)));
    if (!this.#options.length) this.#list.append(element("p", { class: "group" }, emptyText(query)));
    this.#list.dataset.query = query;
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#list.toggleAttribute("data-above", this.#needsRoomAbove());
    // Enter in an empty field of a form sends the form.
    this.#activate(this.#options.length && (query || !this.#keeps) ? 0 : -1);
  }

  #needsRoomAbove() {
    const field = this.#input.getBoundingClientRect();
    return innerHeight - field.bottom < this.#list.offsetHeight + 16 && field.top > innerHeight / 2;
  }

  #row(tag, index, query, recent) {
    const attributes = {
      class: "option",
      role: "option",
      id: `tag-option-${index}`,
      "data-index": index,
      "aria-selected": "false",
    };
    if (tag.id === null) {
      const words = element(
        "span",
        {},
        icon("plus"),
        "Create ",
        element("bdi", { class: "name" }, `“${tag.name}”`),
      );
      return element(
        "div",
        { ...attributes, "data-apart": index > 0 },
        words,
        element("span", { class: "facts" }, "new tag"),
      );
    }
    const words = element("span", {}, element("bdi", { class: "name" }, ...underlined(tag.name, query)));
    const alias = aliasOf(tag, query);
    if (alias) words.append(element("span", { class: "via" }, "also ", ...underlined(alias, query)));
    const facts = recent.has(tag.id) ? "recent" : "";
    return element("div", attributes, words, element("span", { class: "facts" }, facts));
  }

  #activate(index) {
    this.#list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.#active = index;
    const row = this.#list.querySelector(`[data-index="${index}"]`);
    if (!row) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", row.id);
  }

  #key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#list.hidden) {
      event.preventDefault();
      this.#later();
    } else if (step && this.#options.length) {
      event.preventDefault();
      const from = this.#active < 0 && step < 0 ? 0 : this.#active;
      this.#activate((from + step + this.#options.length) % this.#options.length);
    } else if (this.#keeps && (this.#list.hidden || (event.key === "Enter" && this.#active < 0))) {
      return; // the form's own key
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#pickTyped();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.#close();
    }
  }

  // Enter may be faster than the answer: then it waits for what was typed, not for what is shown.
  async #pickTyped() {
    if (!this.#input.value.trim()) return this.#close();
    clearTimeout(this.#timer);
    if (this.#list.dataset.query !== this.#input.value.trim() && this.#active <= 0) await this.#ask();
    const option = this.#options[Math.max(this.#active, 0)];
    if (option) this.#pick(option);
  }

  #pick(tag) {
    if (tag.id !== null) {
      const others = this.memory.read().filter((other) => other.id !== tag.id);
      this.memory.write([{ id: tag.id, name: tag.name }, ...others].slice(0, RECENT));
    }
    this.#close(tag.name);
    this.dispatchEvent(new CustomEvent("pick", { detail: { id: tag.id, name: tag.name } }));
  }

  #close(picked = "") {
    if (this.#keeps) {
      if (picked) this.#input.value = picked;
      return this.#shut();
    }
    this.#input.value = "";
    this.#input.blur();
  }

  #shut() {
    if (!this.#keeps) this.#cap.textContent = this.#ownCap;
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }
}

// What was typed in full stands first, before what was used lately.
function rankExact(tags, query) {
  const exact = tags.filter((tag) => fold(tag.name) === fold(query));
  return [...exact, ...tags.filter((tag) => !exact.includes(tag))];
}

function aliasOf(tag, query) {
  if (!query || fold(tag.name).includes(fold(query))) return null;
  const aliases = tag.aliases ?? [];
  return aliases.find((alias) => fold(alias).includes(fold(query))) ?? null;
}

function underlined(word, query) {
  const at = query ? fold(word).indexOf(fold(query)) : -1;
  if (at < 0) return [word];
  const end = at + query.length;
  return [word.slice(0, at), element("mark", {}, word.slice(at, end)), word.slice(end)].filter(
    (part) => part !== "",
  );
}

function emptyText(query) {
  return query ? "No tag has this name." : "Type to find a tag.";
}

function fold(word) {
  return word.normalize("NFC").toLowerCase();
}
