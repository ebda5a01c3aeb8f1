// Runs before the first paint, so that a chosen theme never flashes. A classic script: modules run too late for this.
try {
  const chosen = localStorage.getItem("tagger:theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is forbidden here: the theme follows the system.
}
