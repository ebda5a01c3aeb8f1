// Flags of the item on screen: the dialog that raises one, and the mark on a picture that has some. What is raised goes
// out through an outbox of its own, as answers do: a dead network or a closed tab loses nothing, and the item stays.
import { element, icon } from "lib/dom";
import { Outbox } from "lib/outbox";
import { uuid } from "lib/uuid";

const KNOWN_MOST = 200;

export class Flags {
  #api;
  #flow;
  #say;
  #dialog;
  #form;
  #mark;
  #opened = []; // open flags of this project that the person may see, newest first
  #image = null; // the one that the dialog speaks of

  // `say` shows a sentence in the bar, which screen readers hear too.
  constructor({ root, api, owner, flow, say }) {
    this.#api = api;
    this.#flow = flow;
    this.#say = say;
    this.#dialog = root.querySelector("[data-flag-dialog]");
    this.#form = this.#dialog.querySelector("[data-flag-form]");
    this.#mark = root.querySelector("[data-flagged]");
    this.outbox = new Outbox({
      name: `${owner}-flags`,
      send: (bodies) => api.post("flags/", bodies),
    });
    this.outbox.addEventListener("stored", () => this.look());
    this.outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    this.outbox.addEventListener("change", () => this.#drawMark());
    flow.addEventListener("show", () => this.#drawMark());
    this.#wireDialog();
  }

  // Sends what an earlier visit left, and learns what is flagged.
  async start() {
    await this.outbox.open().catch(() => {}); // the page tells that this browser keeps nothing
    await this.look();
  }

  async look() {
    const answer = await this.#api.get(`flags/?state=open&limit=${KNOWN_MOST}`).catch(() => null);
    if (answer) this.#opened = answer.results;
    this.#drawMark();
  }

  // The command of the key: asks why. Nothing to flag while no image is there.
  open() {
    const image = this.#flow.current?.ahead.item.image;
    if (!image) return;
    this.#image = image.id;
    this.#drawList();
    this.#dialog.showModal();
    this.#form.elements.comment.focus();
  }

  #wireDialog() {
    const field = this.#form.elements.comment;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#raise(field.value.trim());
    });
    this.#dialog.querySelector("[data-cancel]").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("keydown", (event) => {
      event.stopPropagation(); // what is typed here is no keystroke of the review
      if (event.target !== field || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
  }

  #raise(comment) {
    if (!comment) return this.#form.elements.comment.focus();
    const body = { client_id: uuid(), image: this.#image, comment };
    this.#form.reset();
    this.#dialog.close();
    this.outbox.add({ body, added_at: Date.now() });
    this.#say("Flagged. A reviewer will look at it.");
  }

  #refused({ entry, error }) {
    this.#say(`The flag “${shortened(entry.body.comment)}” was not stored. ${error.message}`);
  }

  // Open flags of an image: those on their way first.
  #of(imageId) {
    const waiting = this.outbox.waiting().filter(({ body }) => body.image === imageId);
    return [
      ...waiting.map(({ body }) => ({ comment: body.comment, author: "You", comments: [] })).reverse(),
      ...this.#opened.filter((flag) => flag.image.id === imageId),
    ];
  }

  #drawMark() {
    const image = this.#flow.current?.ahead.item.image;
    this.#mark.hidden = !image || this.#of(image.id).length === 0;
  }

  #drawList() {
    const known = this.#of(this.#image);
    const list = this.#dialog.querySelector("[data-flag-list]");
    list.hidden = known.length === 0;
    list.replaceChildren(...known.map(remark));
  }
}

function remark(flag) {
  const answers = flag.comments.map((one) => element("p", { class: "muted" }, `${one.author}: ${one.comment}`));
  const said = element("p", {}, element("strong", {}, flag.author ?? "Somebody"), ` ${flag.comment}`);
  return element("li", {}, icon("flag"), element("div", { class: "grow" }, said, ...answers));
}

function shortened(text) {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
