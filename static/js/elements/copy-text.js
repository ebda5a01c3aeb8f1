// <copy-text>: a text to hand on, with a button that copies it. Where a page may not copy, which over plain http it may
// not, the button stays hidden, and the text is there to select.
class CopyText extends HTMLElement {
  #listeners = null;

  connectedCallback() {
    if (!navigator.clipboard) return;
    this.#listeners = new AbortController();
    const signal = this.#listeners.signal;
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => this.#copy(), { signal });
    this.#field.addEventListener("focus", () => this.#field.select(), { signal });
  }

  disconnectedCallback() {
    this.#listeners?.abort();
  }

  get #field() {
    return this.querySelector("input");
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#field.value);
      this.#say("Copied");
    } catch {
      this.#field.select(); // the browser was told not to let pages copy
      this.#say("Selected");
    }
  }

  #say(word) {
    this.querySelector("[data-word]").textContent = word;
    this.querySelector("[role=status]").textContent = word;
  }
}

customElements.define("copy-text", CopyText);
