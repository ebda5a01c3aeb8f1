// The fields of the Keys page take a press instead of a word, and say at once when two commands want the same key.
const LEFT_ALONE = new Set(["Tab", "Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"]);

const form = document.querySelector("[data-keys-form]");
const fields = [...form.querySelectorAll("fieldset .input")];
form.querySelector("[data-with-script]").hidden = false;

for (const field of fields) {
  field.readOnly = true; // no keyboard slides in on a phone, and nothing is typed beside the press
  field.value = field.defaultValue; // a letter may have been typed before this ran
  field.addEventListener("keydown", (event) => press(field, event));
}

function press(field, event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || LEFT_ALONE.has(event.key)) return;
  event.preventDefault();
  field.value = event.key === "Escape" ? "" : written(event.key);
  for (const fieldset of form.querySelectorAll("fieldset")) check(fieldset);
}

function written(key) {
  if (key === " ") return "Space";
  return key.length === 1 ? key.toUpperCase() : key;
}

// Digits and tags' hotkeys are refused by the server, which knows them; here only what stands on this page is compared.
function check(fieldset) {
  const own = [...fieldset.querySelectorAll(".input")];
  const other = fields.find(
    (field) => !own.includes(field) && field.value && own.some(({ value }) => value === field.value),
  );
  const title = other?.closest("fieldset").dataset.commandTitle;
  const text = other ? `${other.value} also stands at “${title}”.` : "";
  const said = fieldset.querySelector(".said");
  if (said.textContent !== text) said.textContent = text;
  fieldset.toggleAttribute("data-refused", Boolean(other));
  for (const field of own) field.toggleAttribute("aria-invalid", false);
}
