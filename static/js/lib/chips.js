// The tags of one item: a small model of what is on and by whose wish, and the toggle buttons that show it. Positions
// are fixed while the item is open: nothing is ever sorted again, added tags come last.
import { element, icon, svg } from "lib/dom";
import { capOf } from "lib/keys";

const KEYED = 20;
const ONE_COLUMN = 10;

// What a person decides on one item. `by`: "model" as it came, "person" changed here, "added" not suggested.
export class Selection {
  constructor(item) {
    this.chips = shown(item.suggestions).map((one) => ({ ...one, on: one.offered, by: "model" }));
  }

  get onCount() {
    return this.chips.filter((chip) => chip.on).length;
  }

  toggle(index) {
    const chip = this.chips[index];
    if (!chip) return null;
    chip.on = !chip.on;
    if (chip.by !== "added") chip.by = chip.on === chip.offered ? "model" : "person";
    return chip;
  }

  indexOf(tag) {
    return this.chips.findIndex((chip) => chip.tag.id === tag.id);
  }

  // Turns a tag on, wherever it stands; a tag that was not suggested comes last. `tag.id` is null for a new one.
  add(tag) {
    const key = fold(tag.name);
    const index = this.chips.findIndex((chip) =>
      tag.id === null || chip.tag.id === null ? fold(chip.tag.name) === key : chip.tag.id === tag.id,
    );
    if (index < 0) {
      this.chips.push({ tag, score: null, offered: false, sources: [], on: true, by: "added" });
      return this.chips.at(-1);
    }
    return this.chips[index].on ? this.chips[index] : this.toggle(index);
  }

  // What was chosen before, laid over suggestions that came again (after an undo).
  restore(names) {
    const wanted = new Set(names.map(({ name }) => fold(name)));
    this.chips.forEach((chip, index) => {
      if (chip.on !== wanted.has(fold(chip.tag.name))) this.toggle(index);
    });
    for (const tag of names) this.add(tag);
  }

  on() {
    return this.chips.filter((chip) => chip.on).map((chip) => chip.tag);
  }

  // The part of a review that says tags: ids, or names where a tag is to be made.
  answer() {
    const tags = this.on().map((tag) => tag.id ?? tag.name);
    const rejected = this.chips.filter((chip) => chip.offered && !chip.on).map((chip) => chip.tag.id);
    const isNew = this.chips.some((chip) => chip.on && chip.tag.id === null);
    return { tags, rejected, ...(isNew ? { create_missing: true } : {}) };
  }
}

// Everything offered, then the best of the rest until one column is full; what the caption speaks of is never left out,
// since its words are marked. The remaining guesses are one search away.
function shown(suggestions) {
  const offered = suggestions.filter((one) => one.offered);
  const weaker = suggestions.filter((one) => !one.offered);
  const isRead = (one) => one.sources.some((source) => source.evidence);
  const room = Math.max(ONE_COLUMN - offered.length - weaker.filter(isRead).length, 0);
  const guesses = new Set(weaker.filter((one) => !isRead(one)).slice(0, room));
  return [...offered, ...weaker.filter((one) => isRead(one) || guesses.has(one))];
}

// `hotkeyOf` answers the key of a tag's id, or null.
export function drawChips(list, selection, hotkeyOf) {
  const focused = list.contains(document.activeElement) ? focusedIndex(list) : -1;
  const buttons = selection.chips.map((chip, index) => chipButton(chip, index, hotkeyOf(chip.tag.id)));
  list.replaceChildren(...buttons.map((button) => element("li", {}, button)));
  list.toggleAttribute("data-many", selection.chips.length > ONE_COLUMN);
  if (focused >= 0) list.children[focused]?.firstChild.focus();
}

// One chip changed: its button is changed in place, so that focus and touch stay where they are.
export function redrawChip(list, selection, index) {
  const button = list.children[index]?.firstChild;
  if (!button) return;
  const chip = selection.chips[index];
  button.setAttribute("aria-pressed", String(chip.on));
  button.dataset.by = chip.by;
  button.querySelector(".mark").replaceChildren(icon(markOf(chip)));
}

export function indexOf(button) {
  return [...button.closest("ul").children].indexOf(button.closest("li"));
}

function focusedIndex(list) {
  return [...list.children].findIndex((row) => row.contains(document.activeElement));
}

function chipButton(chip, index, hotkey) {
  const key = keyOf(index);
  const shortcuts = [key?.shortcut, hotkey].filter(Boolean).join(" ");
  return element(
    "button",
    {
      class: "chip",
      type: "button",
      "aria-pressed": String(chip.on),
      "data-by": chip.by,
      "aria-keyshortcuts": shortcuts || null,
      title: chip.tag.name.length > 18 ? chip.tag.name : null,
    },
    key ? element("kbd", { class: "key", "aria-hidden": "true" }, key.cap) : element("span"),
    element("span", { class: "mark" }, icon(markOf(chip))),
    element("bdi", { class: "name" }, chip.tag.name),
    facts(chip, hotkey),
    element("span", { class: "visually-hidden" }, spoken(chip)),
  );
}

function keyOf(index) {
  if (index >= KEYED) return null;
  const digit = String((index + 1) % 10);
  return index < 10
    ? { cap: capOf(digit), shortcut: digit }
    : { cap: `⇧${digit}`, shortcut: `Shift+${digit}` };
}

function markOf(chip) {
  if (chip.by === "added") return "plus";
  return chip.by === "person" && !chip.on ? "x" : "check";
}

function facts(chip, hotkey) {
  const node = element("span", { class: "facts" });
  if (hotkey) node.append(element("kbd", { class: "key hotkey", "aria-hidden": "true" }, capOf(hotkey)));
  node.append(sourceIcons(chip));
  if (chip.score !== null) node.append(bar(chip.score));
  return node;
}

// What raised a suggestion, as icons in fixed order.
export function sourceIcons({ sources, by }) {
  const kinds = new Set(sources.map((source) => source.kind));
  const icons = element("span", { class: "sources" });
  if (by === "added") icons.append(icon("person", "second"));
  if (kinds.has("vision")) icons.append(icon("pixels"));
  if (kinds.has("caption")) icons.append(icon("words", "second"));
  if (kinds.has("import")) icons.append(icon("import", "second"));
  return icons;
}

// The same for screen readers: ", from pixels and caption".
export function sourceWords({ sources }) {
  const kinds = new Set(sources.map((source) => source.kind));
  const from = [
    kinds.has("vision") && "pixels",
    kinds.has("caption") && "caption",
    kinds.has("import") && "an imported model",
  ].filter(Boolean);
  return from.length ? `, from ${from.join(" and ")}` : "";
}

export function bar(score) {
  const width = (Math.min(Math.max(score, 0), 1) * 100).toFixed(1);
  return svg(
    "svg",
    { class: "score", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { width, height: 1 }),
  );
}

function spoken(chip) {
  if (chip.by === "added") return ", added by you";
  return `, ${Math.round(chip.score * 100)} percent${sourceWords(chip)}`;
}

function fold(name) {
  return name.normalize("NFC").toLocaleLowerCase();
}
