// What both ways of reviewing have in common: looking at the picture, leaving, and the state of the page. The question
// that is asked, and what an answer means, is theirs.
const AGAIN_MS = 10_000;
const RENEW_EVERY_MS = 60_000;

export class Stage {
  #root;
  #viewer;
  #queue;
  #flow;
  #whenOver;

  // `whenOver` names the state of a page that has no item and waits for none.
  constructor({ root, viewer, queue, flow, whenOver }) {
    this.#root = root;
    this.#viewer = viewer;
    this.#queue = queue;
    this.#flow = flow;
    this.#whenOver = whenOver;
    this.part("retry").addEventListener("click", () => queue.fill());
    for (const way of root.querySelectorAll("[data-leave]"))
      way.addEventListener("click", () => queue.release(flow.current?.ahead));
  }

  part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  // The commands that change how the picture is seen, and nothing else.
  get commands() {
    const viewer = this.#viewer;
    return {
      alone: () => this.setAlone(!viewer.isAlone),
      rotate: () => viewer.rotate(),
      zoom_in: () => viewer.zoomIn(),
      zoom_out: () => viewer.zoomOut(),
    };
  }

  setAlone(isAlone) {
    this.#viewer.alone(isAlone);
    this.#root.querySelector("[data-command=alone]").setAttribute("aria-pressed", String(isAlone));
  }

  // A picture that is looked at closely is moved, not swiped away.
  get isBusy() {
    return !this.#flow.current || this.#viewer.isZoomed;
  }

  draw() {
    const state = this.#flow.current ? "item" : this.#waitingState();
    if (this.#root.dataset.state === state) return;
    this.#root.dataset.state = state;
    for (const node of this.part("states").children) node.hidden = node.dataset.for !== state;
    if (this.#queue.failure) this.part("failure").textContent = this.#queue.failure.message;
  }

  #waitingState() {
    const { failure, isExhausted, length } = this.#queue;
    if (failure) return failure.kind === "signed-out" ? "signed-out" : "failed";
    return isExhausted && !length ? this.#whenOver() : "loading";
  }

  // While somebody looks: leases are renewed, an empty page asks again, and so do the flags.
  keepFresh(flags) {
    const whileSeen = (work, every_ms) => setInterval(() => !document.hidden && work(), every_ms);
    whileSeen(() => this.#queue.renewOld(this.#flow.current?.ahead), RENEW_EVERY_MS);
    whileSeen(() => !this.#flow.current && this.#queue.fill(), AGAIN_MS);
    whileSeen(() => flags.look(), RENEW_EVERY_MS);
  }
}
