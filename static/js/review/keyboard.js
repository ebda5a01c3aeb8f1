// Keys and buttons of the Review page lead to the same commands. Which key means what, lib/keys knows.
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

// `commands`: {name: (event) => ...}; `setAlone` is held rather than pressed. `other` takes {position} and {tag}.
export function wireCommands({ root, keys, commands, flow, setAlone, other = () => {} }) {
  document.addEventListener("keydown", (event) => {
    if (flow.current && !event.repeat && !MODIFIERS.includes(event.key)) flow.current.keystrokes += 1;
    const read = keys.read(event);
    if (!read) return;
    event.preventDefault();
    if (event.repeat) return; // a key that is held acts once
    if (!read.command) other(read);
    else if (read.command === "alone") setAlone(true);
    else commands[read.command]?.(event);
  });

  document.addEventListener("keyup", (event) => {
    if (keys.isKeyOf("alone", event)) setAlone(false);
  });

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-command]");
    if (!button) return;
    commands[button.dataset.command]?.(event);
    button.closest("details.popover")?.removeAttribute("open");
    giveKeysBack(event);
  });
}

// After a press by mouse or finger the keys belong to the page again, unless it opened a dialog; by keyboard, focus stays
// where it was.
export function giveKeysBack(event) {
  if (event.detail > 0 && !document.querySelector("dialog[open]")) document.activeElement?.blur();
}
