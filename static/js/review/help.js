// The dialog of all keys, and the switch that lets single keys sleep, wherever this person signs in.
import { element } from "lib/dom";
import { capOf } from "lib/keys";

// `save` stores the switch; it may fail, and then the switch holds for this page alone.
export function wireHelp({ dialog, keys, root, save }) {
  const box = dialog.querySelector("[data-shortcuts]");
  const set = (areOn) => {
    keys.areSingleKeysOn = box.checked = areOn;
    root.toggleAttribute("data-keys-off", !areOn);
  };
  set(keys.areSingleKeysOn);
  box.addEventListener("change", () => {
    set(box.checked);
    save(box.checked);
  });
  dialog.querySelector("[data-key-list]").append(...rows(keys));
  for (const cap of root.querySelectorAll("[data-key-of]"))
    cap.textContent = capOf(keys.keysOf(cap.dataset.keyOf)[0]);
  return () => dialog.showModal();
}

// What acts in this mode, no more.
function rows(keys) {
  const acting = keys.commands.filter(({ mode }) => mode === null || mode === keys.mode);
  const [first, ...others] = acting.map(({ title, keys: own }) => row(title, own.map(capOf)));
  return keys.mode === "all" ? [first, ...chipRows(keys), ...others] : [first, ...others];
}

function chipRows(keys) {
  return [
    row("Toggle the n-th tag", ["1", "…", "0"]),
    row("Toggle 11 to 20", ["Shift", "1", "…", "0"]),
    ...(keys.hasHotkeys ? [row("Toggle a tag by its own key", ["A", "…", "Z"])] : []),
  ];
}

function row(title, caps) {
  const cells = caps.map((cap) =>
    cap === "…" ? element("span", { class: "faint" }, cap) : element("kbd", { class: "key" }, cap),
  );
  return element("div", {}, element("dt", {}, title), element("dd", {}, ...cells));
}
