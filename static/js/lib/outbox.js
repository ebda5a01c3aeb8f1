// Answers that wait to reach the server, kept in IndexedDB: a dead network, an expired session or a closed tab loses
// nothing. Each carries a client_id, so that sending one twice stores it once. Knows nothing of pages.
import { createStore, del, entries, set } from "idb-keyval";
import { ApiError } from "lib/api";
import { Backoff } from "lib/backoff";

const BATCH = 50;

// Events: "change" (count, state), "stored" (detail: entry, review), "refused" (detail: entry, error).
export class Outbox extends EventTarget {
  #store;
  #send;
  #waiting = new Map(); // client_id -> entry, in the order of answering
  #sending = new Set();
  #timer = null;
  #backoff = new Backoff();
  state = "saved"; // "saved", "saving", "offline", "signed-out"

  constructor({ name, send }) {
    super();
    this.#store = createStore(`tagger-outbox-${name}`, "answers");
    this.#send = send; // (bodies) => [{status, review | error}] in order
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
  }

  get size() {
    return this.#waiting.size;
  }

  waiting() {
    return [...this.#waiting.values()];
  }

  has(clientId) {
    return this.#waiting.has(clientId);
  }

  async open() {
    const kept = (await entries(this.#store)).map(([, entry]) => entry);
    kept.sort((a, b) => a.added_at - b.added_at);
    for (const entry of kept) this.#waiting.set(entry.body.client_id, entry);
    if (kept.length) this.flush();
  }

  async add(entry) {
    this.#waiting.set(entry.body.client_id, entry);
    this.#tell();
    this.flush();
    await set(entry.body.client_id, entry, this.#store).catch(() => {}); // open() has told that nothing is kept here
    // Faster than the disk: it was stored or taken back meanwhile, and must not come back after a reload.
    if (!this.has(entry.body.client_id)) await this.#drop(entry.body.client_id);
  }

  // Takes an answer back before it left. False when it is on its way or already there.
  async cancel(clientId) {
    if (!this.#waiting.has(clientId) || this.#sending.has(clientId)) return false;
    this.#waiting.delete(clientId);
    this.#set(this.#waiting.size ? this.state : "saved");
    await this.#drop(clientId);
    return true;
  }

  // Resolves when the answer is not on its way: it has arrived, was refused, or waits for another try.
  landed(clientId) {
    if (!this.#sending.has(clientId)) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (this.#sending.has(clientId)) return;
        this.removeEventListener("change", look);
        resolve();
      };
      this.addEventListener("change", look);
    });
  }

  async flush() {
    if (this.#sending.size || !this.#waiting.size) return;
    clearTimeout(this.#timer);
    const batch = this.waiting().slice(0, BATCH);
    for (const entry of batch) this.#sending.add(entry.body.client_id);
    this.#set(this.state === "saved" ? "saving" : this.state);
    try {
      const results = await this.#send(batch.map((entry) => entry.body));
      this.#backoff.reset();
      await Promise.all(batch.map((entry, index) => this.#settle(entry, results[index])));
      this.#sending.clear();
      if (batch.some((entry) => this.has(entry.body.client_id))) {
        this.#waitAndRetry({ kind: "busy" });
        return;
      }
      this.#set(this.#waiting.size ? "saving" : "saved");
      this.flush();
    } catch (error) {
      this.#sending.clear();
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === "refused") await this.#refuse(batch, error);
      else this.#waitAndRetry(error);
    }
  }

  async #settle(entry, result) {
    const id = entry.body.client_id;
    const again = result.status === 429 || result.status >= 500;
    if (again) return;
    this.#waiting.delete(id);
    await this.#drop(id);
    if (result.status < 300) this.#dispatch("stored", { entry, review: result.review });
    else this.#dispatch("refused", { entry, status: result.status, error: result.error });
  }

  // The whole request was refused. One bad answer must not hold the others: try them one by one.
  async #refuse(batch, error) {
    if (batch.length === 1) {
      await this.#settle(batch[0], { status: error.status || 400, error });
      this.#set(this.#waiting.size ? "saving" : "saved");
      this.flush();
      return;
    }
    for (const entry of batch) {
      try {
        const [result] = await this.#send([entry.body]);
        await this.#settle(entry, result);
      } catch (single) {
        if (!(single instanceof ApiError)) throw single;
        if (single.kind !== "refused") return this.#waitAndRetry(single);
        await this.#settle(entry, { status: single.status || 400, error: single });
      }
    }
    this.#set(this.#waiting.size ? "saving" : "saved");
    this.flush();
  }

  #drop(clientId) {
    return del(clientId, this.#store).catch(() => {});
  }

  #waitAndRetry(error) {
    this.#set(error.kind === "busy" ? "saving" : error.kind);
    const wait_ms = error.retryAfter_s ? error.retryAfter_s * 1000 : this.#backoff.next();
    this.#timer = setTimeout(() => this.flush(), wait_ms);
  }

  #set(state) {
    this.state = state;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
