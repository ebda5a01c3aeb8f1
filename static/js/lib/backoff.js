// Waiting times between tries: doubling, with a little chance so that many pages do not return at once.
export class Backoff {
  constructor({ first_ms = 700, most_ms = 15_000 } = {}) {
    this.first_ms = first_ms;
    this.most_ms = most_ms;
    this.tries = 0;
  }

  next() {
    const plain = Math.min(this.first_ms * 2 ** this.tries, this.most_ms);
    this.tries += 1;
    return plain * (0.75 + Math.random() / 2);
  }

  reset() {
    this.tries = 0;
  }
}
