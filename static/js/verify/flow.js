// What happens to pages: shown, confirmed, taken back. Knows supply and outbox, not the document; whoever draws listens
// to "show" (detail: tiles, and what was marked no), and "notice" (detail: a sentence for the person).
import { ApiError } from "lib/api";
import { Stopwatch } from "lib/stopwatch";
import { uuid } from "lib/uuid";

const REMEMBERED = 20;

export class Flow extends EventTarget {
  #supply;
  #outbox;
  #api;
  #memory;
  #tag;
  #watch = new Stopwatch();
  #isUndoing = false;
  #earlier;
  #offered = null; // the earlier page that the person was asked about
  tiles = [];

  // `memory` keeps the pages of the session that can be taken back: [{body, tiles, page}], `page` once it is known.
  // `earlier`: those that the server knows, newest first, {id, yes, no, at}; older sessions' among them.
  constructor({ supply, outbox, api, memory, tag, earlier }) {
    super();
    this.#supply = supply;
    this.#outbox = outbox;
    this.#api = api;
    this.#memory = memory;
    this.#tag = tag;
    this.#earlier = earlier;
    outbox.addEventListener("stored", ({ detail }) => this.#stored(detail));
  }

  // Ids that this page answers for and the supply does not hold.
  held() {
    return [...this.tiles.map(({ id }) => id), ...this.waitingIds()];
  }

  // Images of this tag that are confirmed and not yet saved.
  waitingIds() {
    const bodies = this.#outbox.waiting().map(({ body }) => body);
    return bodies.filter(({ tag }) => tag === this.#tag.id).flatMap(({ yes, no }) => [...yes, ...no]);
  }

  // Answers that are not yet saved, other tags' too.
  get waitingFacts() {
    return this.#outbox.waiting().reduce((sum, { body }) => sum + body.yes.length + body.no.length, 0);
  }

  get canUndo() {
    return this.#memory.read().length > 0 || this.#earlier.length > 0;
  }

  // The next `size` images; those on screen are kept, and more are added or given back, when the window changes.
  next(size) {
    this.#show(this.#supply.take(size), null);
  }

  resize(size, no) {
    if (this.tiles.length > size) {
      const [kept, rest] = [this.tiles.slice(0, size), this.tiles.slice(size)];
      this.tiles = kept;
      this.#supply.putBack(rest);
      this.#show(kept, no, { isSame: true });
    } else if (this.tiles.length < size && this.#supply.length) {
      const added = this.#supply.take(size - this.tiles.length);
      const unoffered = added.filter(({ offered }) => !offered).map(({ id }) => id);
      this.#show([...this.tiles, ...added], [...no, ...unoffered], { isSame: true });
    }
  }

  confirm(no, size) {
    if (!this.tiles.length) return false;
    const marked = new Set(no);
    const ids = this.tiles.map(({ id }) => id);
    const body = {
      client_id: uuid(),
      tag: this.#tag.id,
      yes: ids.filter((id) => !marked.has(id)),
      no: ids.filter((id) => marked.has(id)),
      seconds: this.#watch.seconds,
      model_number: modelOf(this.tiles),
    };
    this.#remember({ body, tiles: this.tiles.map(bare), page: null });
    this.tiles = [];
    this.#outbox.add({ body, added_at: Date.now() });
    this.next(size);
    return true;
  }

  // Answers what was taken back: a page of this session, which is on screen again, or an earlier one; null for nothing.
  async undo() {
    if (this.#isUndoing) return null;
    const last = this.#memory.read().at(-1);
    if (!last && !this.#earlier.length) {
      this.#notice("There is nothing to undo yet.");
      return null;
    }
    this.#isUndoing = true;
    try {
      if (last) return (await this.#takeBack(last)) ? "page" : null;
      return (await this.#takeEarlierBack(this.#earlier[0])) ? "earlier" : null;
    } finally {
      this.#isUndoing = false;
    }
  }

  async #takeBack(last) {
    const { body } = last;
    await this.#outbox.landed(body.client_id);
    if (await this.#outbox.cancel(body.client_id)) return this.#reopen(last);
    try {
      // The same client_id again answers which page it was, where this browser has not heard it.
      const page = this.#known(body)?.page ?? (await this.#api.post("verify/", body)).page;
      await this.#api.post(`verify/${page}/undo/`, {});
      this.#leave(page);
      this.#supply.waiting += last.tiles.length;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === "refused") this.#forget(last);
      const reason =
        error.kind === "offline" ? "The page is stored, and the server cannot be reached." : error.message;
      this.#notice(`Not undone. ${reason}`);
      return false;
    }
    return this.#reopen(last);
  }

  // A page that this session has not seen: asked about first, since what it held is not on screen.
  async #takeEarlierBack(page) {
    const what = `${page.yes} yes, ${page.no} no`;
    if (this.#offered !== page.id) {
      this.#offered = page.id;
      this.#notice(`Before this session, at ${timeOf(page.at)}: ${what}. Undo again takes that back.`);
      return false;
    }
    try {
      await this.#api.post(`verify/${page.id}/undo/`, {});
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === "refused") this.#leave(page.id);
      this.#notice(`Not undone. ${error.message}`);
      return false;
    }
    this.#leave(page.id);
    this.#supply.waiting += page.yes + page.no;
    this.#supply.isExhausted = false;
    this.#notice(`Taken back: ${what}. These images come up again.`);
    return true;
  }

  #leave(id) {
    this.#earlier = this.#earlier.filter((page) => page.id !== id);
  }

  // The page comes back as it was confirmed; what was on screen waits, first in line.
  #reopen(last) {
    this.#forget(last);
    const waiting = this.tiles;
    this.tiles = [];
    this.#supply.putBack([...last.tiles, ...waiting]);
    this.#show(this.#supply.take(last.tiles.length), last.body.no);
    return true;
  }

  #show(tiles, no, { isSame = false } = {}) {
    this.tiles = tiles;
    if (!isSame) this.#watch.restart();
    this.dispatchEvent(new CustomEvent("show", { detail: { tiles, no, isSame } }));
  }

  #stored({ entry, answer }) {
    if (entry.body.tag === this.#tag.id) this.#supply.waiting -= answer.yes + answer.no;
    const known = this.#memory.read();
    const mine = known.find(({ body }) => body.client_id === entry.body.client_id);
    if (!mine) return;
    mine.page = answer.page;
    this.#memory.write(known);
  }

  #known({ client_id: id }) {
    return this.#memory.read().find(({ body }) => body.client_id === id);
  }

  #remember(record) {
    this.#memory.write([...this.#memory.read(), record].slice(-REMEMBERED));
  }

  #forget(record) {
    const others = this.#memory.read().filter(({ body }) => body.client_id !== record.body.client_id);
    this.#memory.write(others);
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent("notice", { detail: { text } }));
  }
}

function timeOf(at) {
  return new Date(at).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

// Whose suggestions were shown; nobody's where two models spoke on one page.
function modelOf(tiles) {
  const numbers = new Set(tiles.map(({ model_number: number }) => number));
  return numbers.size === 1 ? [...numbers][0] : null;
}

// A tile without its loaded picture: what fits into storage.
function bare({ picture, ready, ...tile }) {
  return tile;
}
