// The items ahead: leased in batches, pictures decoded before they are asked for, leases renewed before they run out,
// suggestions renewed when a new model version goes live. Knows nothing of pages or answers.
import { ApiError } from "lib/api";
import { Backoff } from "lib/backoff";

const RENEW_BEFORE_MS = 5 * 60_000;

async function decoded(url) {
  const picture = new Image();
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  picture.src = url;
  await picture.decode();
  return picture;
}

// Handed out before anything was suggested for it. A blind item is meant to have nothing.
export function isBare(item) {
  return !item.blind && item.suggestions.length === 0;
}

// One leased item. `picture` holds the decoded element, or null when it could not be loaded.
class Ahead {
  constructor(item) {
    this.item = item;
    this.picture = null;
    this.renewing = null; // a promise while its suggestions are being renewed
    this.load();
  }

  // Again for a picture that could not be had: it may have been the network.
  load() {
    this.isReady = false;
    this.ready = decoded(this.item.image.url)
      .then((picture) => (this.picture = picture))
      .catch(() => null)
      .finally(() => (this.isReady = true));
  }

  get expiresIn_ms() {
    return Date.parse(this.item.lease.expires_at) - Date.now();
  }
}

// Events: "change" (something came, became ready or left).
export class Queue extends EventTarget {
  #api;
  #held;
  #wish;
  #ahead = [];
  #asking = null; // a promise while more are asked for
  #isAskedAgain = false; // while an answer is on its way, which may not know of what has happened since
  #timer = null;
  #backoff = new Backoff();
  remaining = null;
  failure = null; // the ApiError of the last try, while it stands
  isExhausted = false;

  // `held` answers the items that this page still answers for, beside those ahead: [{image, lease}]; `wish` what else
  // the server is told of the images that are wanted.
  constructor({ api, size = 5, held = () => [], wish = () => ({}) }) {
    super();
    this.#api = api;
    this.size = size;
    this.#held = held;
    this.#wish = wish;
  }

  get length() {
    return this.#ahead.length;
  }

  get readyCount() {
    return this.#ahead.filter((ahead) => ahead.isReady).length;
  }

  // The next item, or null. Whoever takes it holds it, and then calls fill().
  take() {
    return this.#ahead.shift() ?? null;
  }

  // Somebody else has the image of this id, or it is done.
  drop(image) {
    this.#ahead = this.#ahead.filter(({ item }) => item.image.id !== image);
    this.#tell();
    this.fill();
  }

  putBack(ahead) {
    this.#ahead.unshift(ahead);
    this.#tell();
  }

  // An item that came by another way (undo), with its picture on the way.
  prepare(item) {
    return new Ahead(item);
  }

  async fill() {
    if (this.#asking) this.#isAskedAgain = true;
    if (this.#asking || this.#ahead.length >= this.size) return;
    this.#isAskedAgain = false;
    this.#asking = this.#ask();
    const added = await this.#asking;
    if (added || (this.#isAskedAgain && !this.failure)) this.fill(); // for what was taken or stored meanwhile
  }

  // Hands one item back. A question on its way does not know of it and could bring the image again: its answer is
  // awaited.
  async giveBack({ lease }) {
    await this.#asking;
    this.#release([lease.token]);
  }

  // Leases that are about to run out get more time; a lease that is gone leaves the queue.
  async renewOld(current) {
    const old = this.#ahead.filter((ahead) => ahead.expiresIn_ms < RENEW_BEFORE_MS);
    if (current && current.expiresIn_ms < RENEW_BEFORE_MS) old.push(current);
    if (old.length) await this.#renew(old, { refresh: false });
  }

  // Fresh suggestions for what waits. The item on screen is left alone, since its chips keep their place, unless it is
  // named here because it has none yet.
  async refresh(bare = null) {
    const old = [bare, ...this.#ahead].filter(Boolean);
    if (old.length) await this.#renew(old, { refresh: true });
  }

  get hasBareItems() {
    return this.#ahead.some(({ item }) => isBare(item));
  }

  // Hands the waiting leases back; for a person who leaves the page on purpose.
  release(current) {
    const leases = [current, ...this.#ahead].filter(Boolean).map(({ item }) => item.lease.token);
    if (leases.length) this.#release(leases);
  }

  #release(leases) {
    const outlivingThePage = { keepalive: true };
    this.#api.post("queue/release/", { leases }, outlivingThePage).catch(() => {}); // else they run out by themselves
  }

  // Answers how many were added; a failure is kept, and tried again by itself.
  async #ask() {
    clearTimeout(this.#timer);
    try {
      const held = [...this.#held(), ...this.#ahead.map(({ item }) => item)];
      const answer = await this.#api.post("queue/next/", {
        count: this.size - this.#ahead.length,
        have: held.map((item) => item.lease.token),
        ...this.#wish(),
      });
      this.failure = null;
      this.#backoff.reset();
      this.remaining = answer.queue.remaining;
      this.isExhausted = answer.items.length === 0;
      return this.#append(answer.items);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failure = error;
      this.#timer = setTimeout(() => this.fill(), this.#backoff.next());
      return 0;
    } finally {
      this.#asking = null;
      this.#tell();
    }
  }

  // Answers how many are new.
  #append(items) {
    const before = this.#ahead.length;
    const known = new Set(
      [...this.#held(), ...this.#ahead.map(({ item }) => item)].map((item) => item.image.id),
    );
    for (const item of items) {
      if (known.has(item.image.id)) continue;
      const ahead = new Ahead(item);
      ahead.ready.then(() => this.#tell());
      this.#ahead.push(ahead);
    }
    return this.#ahead.length - before;
  }

  // While suggestions are renewed, the lease and the page may differ: `renewing` tells whoever wants to show or answer
  // one of these items to wait for the answer.
  async #renew(aheads, { refresh }) {
    const asked = this.#askForRenewal(aheads, refresh);
    if (refresh) for (const ahead of aheads) ahead.renewing = asked;
    try {
      await asked;
    } finally {
      for (const ahead of aheads) ahead.renewing = null;
    }
    this.#tell();
    this.fill();
  }

  async #askForRenewal(aheads, refresh) {
    let answer;
    try {
      const leases = aheads.map(({ item }) => item.lease.token);
      answer = await this.#api.post("queue/renew/", { leases, refresh });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return; // The next round tries again; an answer is accepted even after its lease ran out.
    }
    const items = new Map((answer.items ?? []).map((item) => [item.image.id, item]));
    const leases = new Map(answer.renewed.map((lease) => [lease.token, lease]));
    for (const ahead of aheads) {
      const fresh = items.get(ahead.item.image.id);
      const lease = leases.get(ahead.item.lease.token);
      if (fresh) ahead.item = fresh;
      else if (lease) ahead.item.lease = lease;
      else this.#ahead = this.#ahead.filter((other) => other !== ahead);
    }
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
