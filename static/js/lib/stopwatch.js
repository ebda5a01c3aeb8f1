// Seconds that a thing was in front of somebody: time in a hidden tab does not count.
export class Stopwatch {
  #passed_ms = 0;
  #since = null;

  constructor() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.#go()));
  }

  restart() {
    this.#passed_ms = 0;
    this.#since = null;
    if (!document.hidden) this.#go();
  }

  get seconds() {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return Math.round((this.#passed_ms + running) / 100) / 10;
  }

  #go() {
    this.#since ??= performance.now();
  }

  #pause() {
    if (this.#since !== null) this.#passed_ms += performance.now() - this.#since;
    this.#since = null;
  }
}
