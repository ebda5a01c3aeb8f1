// What happens to items: shown, answered, taken back. Knows the queue and the outbox, not the page; the page draws on
// "show" (an item, or none) and "notice" (a sentence for the person).
import { ApiError } from "lib/api";
import { Selection } from "lib/chips";
import { Stopwatch } from "lib/stopwatch";
import { uuid } from "lib/uuid";

const REMEMBERED = 50;
const JUDGING = new Set(["reviewed", "yes", "no"]); // the others say nothing of what the picture shows

export class Flow extends EventTarget {
  #queue;
  #outbox;
  #saying;
  #memory;
  #tabs;
  #watch = new Stopwatch();
  #shown = new Map(); // client_id -> the Ahead it answered, so that its picture need not be loaded again
  #isUndoing = false;
  #isTaking = false;
  current = null; // {ahead, selection, keystrokes, picture_ms: from the last answer to this picture, once measured}

  // `saying` knows what an answer is made of (review/saying). `memory` keeps the answers of the session that can be taken
  // back: [{client_id, outcome, review, names, item}]. `tabs` names what this person's tabs tell each other: they hold the
  // same images, and what one has answered leaves the others.
  constructor({ queue, outbox, saying, memory, tabs }) {
    super();
    this.#queue = queue;
    this.#outbox = outbox;
    this.#saying = saying;
    this.#memory = memory;
    this.#tabs = new BroadcastChannel(tabs);
    this.#tabs.addEventListener("message", ({ data: image }) => this.#answeredElsewhere(image));
    queue.addEventListener("change", () => this.current ?? this.next());
    outbox.addEventListener("stored", ({ detail }) => this.#stored(detail));
  }

  // Items that this page answers for and the queue does not hold: on screen, or answered and not yet saved.
  held() {
    const waiting = this.#outbox.waiting().map((entry) => entry.item);
    return this.current ? [this.current.ahead.item, ...waiting] : waiting;
  }

  async next() {
    if (this.#isTaking) return;
    const ahead = this.#queue.take();
    if (ahead?.renewing) {
      this.#isTaking = true;
      await ahead.renewing;
      this.#isTaking = false;
    }
    this.#show(ahead, ahead && selectionOf(ahead));
    if (ahead) this.#queue.fill();
  }

  // False when there is nothing to answer, its suggestions are just coming, or its picture is not there: nobody answers
  // what was not shown.
  answer(outcome) {
    if (!this.current || this.current.ahead.renewing) return false;
    const { ahead, selection } = this.current;
    if (JUDGING.has(outcome) && !ahead.picture) {
      const reason = ahead.isReady ? "cannot be shown" : "is still on its way";
      this.#notice(`Not answered: the picture ${reason}.`);
      return false;
    }
    const said = this.#saying.body(this.current, outcome, this.#watch.seconds);
    const body = said && { client_id: uuid(), ...said };
    const names = selection.on();
    const item = this.#saying.keepsItem ? ahead.item : null;
    const id = body?.client_id ?? uuid();
    this.#remember({ client_id: id, outcome, review: null, isStored: body !== null, names, item }, ahead);
    this.current = null;
    this.#tabs.postMessage(ahead.item.image.id);
    if (body) this.#outbox.add({ body, item: ahead.item, names, added_at: Date.now() });
    this.next();
    return true;
  }

  // Answers the outcome that was taken back, or null.
  async undo() {
    if (this.#isUndoing) return null;
    const last = this.#memory.read().at(-1);
    if (!last) {
      this.#notice("There is nothing to undo yet.");
      return null;
    }
    this.#isUndoing = true;
    try {
      return (await this.#takeBack(last)) ? last.outcome : null;
    } finally {
      this.#isUndoing = false;
    }
  }

  // The item on screen got its first suggestions: they come before what was added meanwhile.
  redrawCurrent() {
    if (!this.current) return;
    const added = this.current.selection.on();
    this.current.selection = new Selection(this.current.ahead.item);
    for (const tag of added) this.current.selection.add(tag);
    this.dispatchEvent(new CustomEvent("show", { detail: this.current }));
  }

  async #takeBack(last) {
    if (last.isStored === false) {
      this.#forget(last);
      this.#reopen(this.#shown.get(last.client_id) ?? this.#queue.prepare(last.item), last.item, last.names);
      return true;
    }
    await this.#outbox.landed(last.client_id);
    const entry = this.#outbox.waiting().find(({ body }) => body.client_id === last.client_id);
    if (entry && (await this.#outbox.cancel(last.client_id))) {
      this.#forget(last);
      this.#reopen(
        this.#shown.get(last.client_id) ?? this.#queue.prepare(entry.item),
        entry.item,
        last.names,
      );
      return true;
    }
    const { review } = this.#memory.read().find(({ client_id: id }) => id === last.client_id) ?? last;
    this.#forget(last);
    if (review === null) {
      this.#notice("The last answer was not stored, so there is nothing to take back.");
      return false;
    }
    return this.#takeBackStored(last, review);
  }

  async #takeBackStored(last, review) {
    const ahead = this.#shown.get(last.client_id);
    let item;
    try {
      item = await this.#saying.takeBack({ ...last, review });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind !== "refused") this.#remember({ ...last, review }, ahead);
      const reason =
        error.kind === "offline" ? "The answer is stored, and the server cannot be reached." : error.message;
      this.#notice(`Not undone. ${reason}`);
      return false;
    }
    if (!item) {
      this.#notice("Taken back. Somebody else holds that image now.");
      return true;
    }
    this.#reopen(ahead ?? this.#queue.prepare(item), item, last.names);
    return true;
  }

  // The taken-back item comes on screen; the one that was there waits as it is, first in line.
  #reopen(ahead, item, names) {
    if (this.current) {
      const { ahead: waiting, selection: chosen } = this.current;
      waiting.chosen = { item: waiting.item, selection: chosen };
      this.#queue.putBack(waiting);
    }
    ahead.item = item;
    const selection = new Selection(item);
    selection.restore(names);
    this.#show(ahead, selection);
    this.#queue.drop(item.image.id); // more may have been asked for meanwhile, and have brought it too
  }

  #answeredElsewhere(image) {
    this.#queue.drop(image);
    if (this.current?.ahead.item.image.id !== image) return;
    this.current = null;
    this.next();
    this.#notice("You have just answered that image in another tab.");
  }

  #show(ahead, selection) {
    this.current = ahead && { ahead, selection, keystrokes: 0, picture_ms: null };
    this.#watch.restart();
    this.dispatchEvent(new CustomEvent("show", { detail: this.current }));
  }

  // With nothing on screen the queue is asked again: what it said was left may have been this answer's image.
  #stored({ entry, review }) {
    if (!this.current) this.#queue.fill();
    const known = this.#memory.read();
    const mine = known.find(({ client_id: id }) => id === entry.body.client_id);
    if (!mine) return;
    mine.review = review.id;
    this.#memory.write(known);
  }

  #remember(record, ahead) {
    const known = [...this.#memory.read(), record];
    for (const old of known.splice(0, Math.max(known.length - REMEMBERED, 0)))
      this.#shown.delete(old.client_id);
    this.#memory.write(known);
    if (ahead) this.#shown.set(record.client_id, ahead);
  }

  #forget(record) {
    this.#memory.write(this.#memory.read().filter(({ client_id: id }) => id !== record.client_id));
  }

  #notice(text) {
    this.dispatchEvent(new CustomEvent("notice", { detail: { text } }));
  }
}

// What was chosen before the item was put back. New suggestions came meanwhile: the choice is laid over them.
function selectionOf(ahead) {
  const { item, chosen } = ahead;
  if (chosen?.item === item) return chosen.selection;
  const selection = new Selection(item);
  if (chosen) selection.restore(chosen.selection.on());
  return selection;
}
