// Which key means what. Digits are read by their place (event.code), so that layouts where digits need Shift work;
// commands by the letter, with `also` for its neighbour on the same key. Keys sleep while somebody types, composes or a dialog is open.
export const COMMANDS = [
  { name: "accept", title: "Accept and go on", keys: ["Enter"] },
  { name: "add", title: "Add a tag", keys: ["t", "/"] },
  { name: "undo", title: "Undo", keys: ["z", "Backspace"] },
  { name: "skip", title: "Skip", keys: ["s"] },
  { name: "unsure", title: "Unsure, ask a reviewer", keys: ["u"] },
  { name: "broken", title: "Broken image", keys: ["b"] },
  { name: "alone", title: "See the image alone", keys: [" "] },
  { name: "rotate", title: "Rotate", keys: ["r"] },
  { name: "zoom_in", title: "Zoom in", keys: ["+"], also: ["="] },
  { name: "zoom_out", title: "Zoom out", keys: ["-"], also: ["_"] },
  { name: "help", title: "All keys", keys: ["?"] },
];

const CAPS = {
  Enter: "↵",
  Backspace: "⌫",
  " ": "Space",
  "-": "−",
  Escape: "Esc",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
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
  areSingleKeysOn = true;

  // `own` remaps commands: {name: [keys]}. What it does not name keeps its keys.
  constructor(own = {}, commands = COMMANDS) {
    this.commands = commands.map((command) => ({ ...command, keys: own[command.name] ?? command.keys }));
    for (const { name, keys, also = [] } of this.commands) {
      for (const key of [...also, ...keys]) this.#commandOf.set(fold(key), name);
    }
  }

  keysOf(name) {
    return this.commands.find((command) => command.name === name)?.keys ?? [];
  }

  // {command} or {position}, or null when the key is not ours to take.
  read(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
      return null;
    const { target } = event;
    if (target.closest?.(TYPING) || document.querySelector("dialog[open]")) return null;
    if (OWN_KEYS.has(event.key) && belongsToFocus(event)) return null;
    if (!this.areSingleKeysOn && event.key !== "Enter" && !event.key.startsWith("Arrow")) return null;
    const position = positionOf(event);
    if (position) return { position };
    const command = this.#commandOf.get(fold(event.key));
    return command ? { command } : null;
  }
}

// A focused control keeps Enter and Space, save that Enter on a chip accepts: hands go chip, Enter, chip, Enter.
function belongsToFocus(event) {
  const control = event.target.closest?.(PRESSABLE);
  if (!control) return false;
  return !(event.key === "Enter" && control.matches(".chip"));
}

function fold(key) {
  return key.length === 1 ? key.toLowerCase() : key;
}
