// The picture on its stage: rotate, zoom at the pointer, drag, pinch, and alone. It shows elements that are already
// decoded, so that nothing is fetched or decoded when a key is pressed.
const MOST = 8;
const STEP = 1.5;

export class Viewer {
  #stage;
  #box;
  #picture = null;
  #turns = 0;
  #zoom = 1;
  #at = { x: 0, y: 0 };
  #fingers = new Map();

  constructor({ stage, box }) {
    this.#stage = stage;
    this.#box = box;
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("pointerdown", (event) => this.#down(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, (event) => this.#up(event));
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  show(picture) {
    this.#picture = picture;
    this.reset();
    this.#box.replaceChildren(...(picture ? [picture] : []));
  }

  reset() {
    this.#turns = 0;
    this.#zoom = 1;
    this.#at = { x: 0, y: 0 };
    this.#draw();
  }

  rotate() {
    this.#turns = (this.#turns + 1) % 4;
    this.#at = { x: 0, y: 0 };
    this.#draw();
  }

  zoomIn() {
    this.#scaleTo(this.#zoom * STEP, { x: 0, y: 0 });
  }

  zoomOut() {
    this.#scaleTo(this.#zoom / STEP, { x: 0, y: 0 });
  }

  alone(isAlone) {
    this.#stage.toggleAttribute("data-alone", isAlone);
  }

  get isZoomed() {
    return this.#zoom > 1;
  }

  get isAlone() {
    return this.#stage.hasAttribute("data-alone");
  }

  // Zooms so that the point under the pointer stays where it is.
  #scaleTo(wanted, point) {
    const zoom = Math.min(Math.max(wanted, 1), MOST);
    const ratio = zoom / this.#zoom;
    this.#at = { x: point.x - (point.x - this.#at.x) * ratio, y: point.y - (point.y - this.#at.y) * ratio };
    this.#zoom = zoom;
    if (zoom === 1) this.#at = { x: 0, y: 0 };
    this.#draw();
  }

  #draw() {
    if (!this.#picture) return;
    const isMoved = this.#turns || this.#zoom !== 1;
    this.#box.toggleAttribute("data-zoomed", this.#zoom > 1);
    const { x, y } = this.#clamped();
    this.#picture.style.transform = isMoved
      ? `translate(${x}px, ${y}px) rotate(${this.#turns * 90}deg) scale(${this.#zoom * this.#fit()})`
      : "";
  }

  // How much larger or smaller a picture fits once it lies on its side.
  #fit() {
    if (this.#turns % 2 === 0) return 1;
    const { clientWidth: w, clientHeight: h } = this.#box;
    const { naturalWidth: pw, naturalHeight: ph } = this.#picture;
    return Math.min(w / ph, h / pw) / Math.min(w / pw, h / ph);
  }

  #clamped() {
    const reach = (this.#zoom - 1) / 2;
    const within = (value, size) => Math.min(Math.max(value, -size * reach), size * reach);
    this.#at = {
      x: within(this.#at.x, this.#box.clientWidth),
      y: within(this.#at.y, this.#box.clientHeight),
    };
    return this.#at;
  }

  #fromMiddle(event) {
    const box = this.#box.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  }

  #wheel(event) {
    if (!event.ctrlKey && this.#zoom === 1) return;
    event.preventDefault();
    this.#scaleTo(this.#zoom * Math.exp(-event.deltaY / 300), this.#fromMiddle(event));
  }

  #down(event) {
    this.#fingers.set(event.pointerId, this.#fromMiddle(event));
    if (this.#zoom > 1 || this.#fingers.size > 1) this.#box.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#fromMiddle(event);
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = distance(now, other) / Math.max(distance(before, other), 1);
      this.#scaleTo(this.#zoom * spread, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else if (this.#zoom > 1) {
      this.#at = { x: this.#at.x + now.x - before.x, y: this.#at.y + now.y - before.y };
      this.#draw();
    }
    this.#fingers.set(event.pointerId, now);
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
  }
}

function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
