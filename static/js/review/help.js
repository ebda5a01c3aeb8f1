// The dialog of all keys, and the switch that lets single keys sleep.
import { element } from "lib/dom";
import { capOf } from "lib/keys";
import { remembered } from "lib/memory";

export function wireHelp({ dialog, keys, root }) {
  const setting = remembered("tagger:single-keys", true);
  const box = dialog.querySelector("[data-shortcuts]");
  keys.areSingleKeysOn = box.checked = setting.read();
  box.addEventListener("change", () => {
    setting.write(box.checked);
    keys.areSingleKeysOn = box.checked;
    root.toggleAttribute("data-keys-off", !box.checked);
  });
  root.toggleAttribute("data-keys-off", !box.checked);
  dialog.querySelector("[data-key-list]").append(...rows(keys));
  for (const cap of root.querySelectorAll("[data-key-of]"))
    cap.textContent = capOf(keys.keysOf(cap.dataset.keyOf)[0]);
  return () => dialog.showModal();
}

function rows(keys) {
  const [accept, ...others] = keys.commands.map(({ title, keys: own }) => row(title, own.map(capOf)));
  return [
    accept,
    row("Toggle the n-th tag", ["1", "…", "0"]),
    row("Toggle 11 to 20", ["Shift", "1", "…", "0"]),
    ...(keys.hasHotkeys ? [row("Toggle a tag by its own key", ["A", "…", "Z"])] : []),
    ...others,
  ];
}

function row(title, caps) {
  const cells = caps.map((cap) =>
    cap === "…" ? element("span", { class: "faint" }, cap) : element("kbd", { class: "key" }, cap),
  );
  return element("div", {}, element("dt", {}, title), element("dd", {}, ...cells));
}
