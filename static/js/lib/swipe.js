// Swiping a picture aside with a finger: to the right and to the left mean two different things. The picture follows the
// finger, and turning back cancels. Scrolling down stays with the browser (touch-action: pan-y), and a second finger or a
// picture that is zoomed in with the viewer.
const SLOP = 10; // px before a touch says in which direction it goes
const SHARE = 0.28; // of the picture's width, to count
const MOST = 140; // px that are always enough, however wide the picture
const FLICK = 0.55; // px a millisecond, to count before that

// `isBusy` says that touches belong to somebody else. `right` and `left` are called with the event, once a swipe counts.
export class Swipe {
  #box;
  #isBusy;
  #acts;
  #fingers = new Set();
  #touch = null; // {id, x, y, at, dx, isOurs}

  constructor({ box, isBusy, right, left }) {
    this.#box = box;
    this.#isBusy = isBusy;
    this.#acts = { right, left };
    box.addEventListener("pointerdown", (event) => this.#down(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    box.addEventListener("pointerup", (event) => this.#up(event));
    box.addEventListener("pointercancel", (event) => this.#lost(event));
  }

  #down(event) {
    if (event.pointerType === "mouse") return;
    this.#fingers.add(event.pointerId);
    if (this.#fingers.size > 1 || this.#isBusy()) return this.#end(); // two fingers pinch
    const { pointerId: id, clientX: x, clientY: y, timeStamp: at } = event;
    this.#touch = { id, x, y, at, dx: 0, isOurs: false };
  }

  #move(event) {
    const touch = this.#touch;
    if (touch?.id !== event.pointerId) return;
    touch.dx = event.clientX - touch.x;
    const dy = event.clientY - touch.y;
    if (!touch.isOurs) {
      if (Math.hypot(touch.dx, dy) < SLOP) return;
      if (Math.abs(touch.dx) < Math.abs(dy)) return this.#end();
      touch.isOurs = true;
      this.#box.setPointerCapture(event.pointerId);
    }
    this.#draw(event);
  }

  // The browser took the touch for itself, to scroll.
  #lost(event) {
    this.#fingers.delete(event.pointerId);
    this.#end();
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    const touch = this.#touch;
    if (touch?.id !== event.pointerId) return;
    const side = touch.isOurs ? this.#sideOf(event) : null;
    this.#end();
    if (side) this.#acts[side](event);
  }

  // Which way it counts if the finger left now, or null.
  #sideOf({ timeStamp }) {
    const { dx, at } = this.#touch;
    const far = Math.abs(dx) >= Math.min(this.#box.clientWidth * SHARE, MOST);
    const fast = Math.abs(dx) >= 4 * SLOP && Math.abs(dx) / Math.max(timeStamp - at, 1) >= FLICK;
    if (!far && !fast) return null;
    return dx > 0 ? "right" : "left";
  }

  #draw(event) {
    const { dx } = this.#touch;
    this.#box.style.setProperty("--swipe", `${dx}px`);
    this.#box.dataset.swipe = dx > 0 ? "right" : "left";
    this.#box.toggleAttribute("data-swipe-counts", this.#sideOf(event) !== null);
  }

  #end() {
    this.#touch = null;
    this.#box.style.removeProperty("--swipe");
    delete this.#box.dataset.swipe;
    this.#box.removeAttribute("data-swipe-counts");
  }
}
