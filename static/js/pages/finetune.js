// An edit takes the button to start away until the estimate of the new settings has come; one of the old ones that is
// still on its way is given up.
const form = document.querySelector("#finetune-settings");

form?.addEventListener("input", () => {
  window.htmx.trigger(form, "htmx:abort");
  const start = document.querySelector("[data-start]");
  if (start) start.disabled = true;
});
