// Which key means what. The commands and their keys come from the server (annotations/review_keys.py). Digits are read
// by their place (event.code), so that layouts where digits need Shift work; commands and tag hotkeys by the letter, or
// by the place of a letter that another script has.
// Keys sleep while somebody types, composes or a dialog is open.
const CAPS = {
  Enter: "↵",
  Backspace: "⌫",
  Delete: "Del",
  " ": "Space",
  "-": "−",
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};
const OWN_KEYS = new Set(["Enter", " "]);
const TYPING =
  "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]";
const PRESSABLE = "button, a[href], summary, input, select, [role=button], [role=option]";

export function capOf(key) {
  return CAPS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

// The position (1 to 20) that a digit key points at, or 0. Shift reaches 11 to 20.
export function positionOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit === undefined) return 0;
  return (Number(digit) || 10) + (event.shiftKey ? 10 : 0);
}

export class KeyMap {
  #commandOf = new Map();
  #tagOf = new Map();
  #hotkeyOf = new Map(); // tag id -> its key
  areSingleKeysOn = true;
  mode = "all";

  // `commands`: [{name, title, keys, also, mode}], the last two where they matter. `own` remaps commands: {name:
  // [keys]}; what it does not name keeps its keys. `hotkeys`: {key: {id, name}} of tags, which give way to a command
  // that somebody put on the same key.
  constructor({ commands, own = {}, hotkeys = {} }) {
    this.commands = commands.map((command) =>
      own[command.name] ? { ...command, keys: own[command.name], also: [] } : command,
    );
    for (const command of this.commands) {
      for (const key of [...(command.also ?? []), ...command.keys]) this.#commandOf.set(fold(key), command);
    }
    for (const [key, tag] of Object.entries(hotkeys)) {
      if (this.#commandOf.has(key)) continue;
      this.#tagOf.set(key, tag);
      this.#hotkeyOf.set(tag.id, key);
    }
  }

  keysOf(name) {
    return this.commands.find((command) => command.name === name)?.keys ?? [];
  }

  isKeyOf(name, event) {
    return lettersOf(event).some((key) => this.keysOf(name).includes(key));
  }

  hotkeyOf(tagId) {
    return this.#hotkeyOf.get(tagId) ?? null;
  }

  get hasHotkeys() {
    return this.#tagOf.size > 0;
  }

  // {command}, {position} or {tag}, or null when the key is not ours to take.
  read(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
      return null;
    const { target } = event;
    if (target.closest?.(TYPING) || document.querySelector("dialog[open]")) return null;
    if (OWN_KEYS.has(event.key) && belongsToFocus(event)) return null;
    if (!this.areSingleKeysOn && event.key !== "Enter" && !event.key.startsWith("Arrow")) return null;
    const position = this.mode === "all" && positionOf(event);
    if (position) return { position };
    for (const key of lettersOf(event)) {
      const command = this.#commandOf.get(key);
      if (command) return acts(command, this.mode) ? { command: command.name } : null;
      const tag = this.mode === "all" && this.#tagOf.get(key);
      if (tag) return { tag };
    }
    return null;
  }
}

// A focused control keeps Enter and Space, save that Enter on a chip accepts: hands go chip, Enter, chip, Enter.
function belongsToFocus(event) {
  const control = event.target.closest?.(PRESSABLE);
  if (!control) return false;
  return !(event.key === "Enter" && control.matches(".chip"));
}

// A command without a mode acts in every one.
export function acts(command, mode) {
  return !command.mode || command.mode === mode;
}

// The key that was pressed; where it writes a letter of another script, as on a Greek or Cyrillic layout, which has no
// keys for our letters, also the Latin letter of its place.
function lettersOf({ key, code }) {
  const place = /^Key([A-Z])$/.exec(code)?.[1];
  const isOther = place && /^\p{L}$/u.test(key) && !/\p{Script=Latin}/u.test(key);
  return isOther ? [fold(key), fold(place)] : [fold(key)];
}

// The same for fixed keys: one name in small letters.
export function letterOf(event) {
  return lettersOf(event).at(-1).toLowerCase();
}

function fold(key) {
  return key.length === 1 ? key.toLowerCase() : key;
}
