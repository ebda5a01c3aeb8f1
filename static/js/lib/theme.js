// The theme switch: follows the system until the reader chooses, then remembers.
const KEY = "tagger:theme";

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is forbidden here: the choice lasts as long as the page.
  }
}

export function wireThemeToggles(root) {
  for (const button of root.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
  }
}
