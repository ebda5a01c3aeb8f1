// A long wall stays light: pages of tiles that are far from the window leave the document, an empty box of their size
// keeps their place, and they come back before they are seen.
const NEAR = "300%";

export class FarPages {
  #root;
  #away = new Map(); // page to its children
  #near = null;
  #added = null;

  // `back` is called when pages have come back.
  constructor(root, back) {
    this.#root = root;
    this.#near = new IntersectionObserver((entries) => this.#moved(entries, back), { rootMargin: `${NEAR} 0px` });
    this.#added = new MutationObserver(() => this.#watch());
    this.#added.observe(root, { childList: true });
    this.#watch();
  }

  // The element in the pages, one that has left the document too: its page comes back then.
  find(selector) {
    const page = [...this.#away].find(([, kept]) => kept.querySelector(selector))?.[0];
    if (page) this.#bring(page);
    return this.#root.querySelector(selector);
  }

  // The page with other children, wherever its own are.
  replace(page, children) {
    this.#away.delete(page);
    page.style.blockSize = "";
    page.replaceChildren(...children);
  }

  stop() {
    this.#near.disconnect();
    this.#added.disconnect();
  }

  #watch() {
    for (const page of this.#root.querySelectorAll("[data-page]")) this.#near.observe(page);
  }

  #moved(entries, back) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#bring(target);
      else this.#take(target);
    }
    if (entries.some((entry) => entry.isIntersecting)) back();
  }

  #take(page) {
    if (this.#away.has(page) || page.contains(document.activeElement)) return;
    page.style.blockSize = `${page.getBoundingClientRect().height}px`;
    const kept = document.createDocumentFragment();
    kept.append(...page.childNodes);
    this.#away.set(page, kept);
  }

  #bring(page) {
    const kept = this.#away.get(page);
    if (!kept) return;
    this.#away.delete(page);
    page.append(kept);
    page.style.blockSize = "";
  }
}
