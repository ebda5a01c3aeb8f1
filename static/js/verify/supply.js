// The images ahead: fetched a page early, their pictures decoded before they are asked for. Knows nothing of answers.
import { ApiError } from "lib/api";
import { Backoff } from "lib/backoff";

const MOST = 100; // ids and images of one request stay small

// Starts loading a tile's picture; `ready` resolves when it is decoded, or cannot be.
function prepare(tile) {
  const picture = new Image();
  picture.decoding = "async";
  picture.src = tile.large_thumbnail_url;
  return { ...tile, picture, ready: picture.decode().catch(() => {}) };
}

// Events: "change" (something came, or could not be fetched).
export class Supply extends EventTarget {
  #api;
  #query;
  #held;
  #ahead;
  #isFilling = false;
  #timer = null;
  #backoff = new Backoff();
  waiting; // images without a word on the tag, as the server counts them
  failure = null; // the ApiError of the last try, while it stands
  isExhausted = false;

  // `held` answers the ids that the page still answers for: on screen, or confirmed and not yet saved.
  constructor({ api, tag, order, tiles, waiting, held }) {
    super();
    this.#api = api;
    this.#query = { tag, order };
    this.#held = held;
    this.#ahead = tiles.map(prepare);
    this.waiting = waiting;
  }

  get length() {
    return this.#ahead.length;
  }

  take(count) {
    return this.#ahead.splice(0, count);
  }

  // First in line again; pictures that are not loaded (after a reload) are loaded.
  putBack(tiles) {
    const back = tiles.map((tile) => (tile.picture ? tile : prepare(tile)));
    const ids = new Set(back.map(({ id }) => id));
    this.#ahead = [...back, ...this.#ahead.filter(({ id }) => !ids.has(id))];
    this.isExhausted = false;
  }

  // These were confirmed already, before the page was loaded.
  leaveOut(ids) {
    const left = new Set(ids);
    this.#ahead = this.#ahead.filter(({ id }) => !left.has(id));
  }

  // Fetches until `count` images are ahead, or there are no more.
  async fill(count) {
    if (this.#isFilling || this.#ahead.length >= count) return;
    this.#isFilling = true;
    clearTimeout(this.#timer);
    try {
      const answer = await this.#api.get(`verify/?${this.#address(count - this.#ahead.length)}`);
      this.failure = null;
      this.#backoff.reset();
      this.waiting = answer.waiting;
      this.#append(answer.results);
      this.isExhausted = answer.results.length === 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failure = error;
      this.#timer = setTimeout(() => this.fill(count), this.#backoff.next());
    } finally {
      this.#isFilling = false;
      this.#tell();
    }
  }

  #address(limit) {
    const without = [...this.#held(), ...this.#ahead.map(({ id }) => id)];
    return new URLSearchParams({ ...this.#query, limit: Math.min(limit, MOST), without: without.join(",") });
  }

  // An image may have come on screen, by undo, while this was on its way.
  #append(tiles) {
    const known = new Set([...this.#held(), ...this.#ahead.map(({ id }) => id)]);
    this.#ahead.push(...tiles.filter(({ id }) => !known.has(id)).map(prepare));
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
