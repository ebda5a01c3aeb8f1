// “38 of 210 answered for this tag”: what the server counted, and what was answered here since.
const numbers = new Intl.NumberFormat("en");

export class Progress {
  #line;
  #counted;

  // `counted`: {answered, is_more_answered, waiting, is_more} as the server tells it.
  constructor(line, counted) {
    this.#line = line;
    this.counted = counted;
  }

  set counted(counted) {
    this.#counted = { ...counted };
    this.#show();
  }

  // One answer more, or with -1 one taken back. Only images that suggest the tag are counted as waiting.
  step(by, { suggestions }, tag) {
    this.#counted.answered = Math.max(this.#counted.answered + by, 0);
    const isCounted = suggestions.some((one) => one.tag.id === tag.id);
    if (isCounted && this.#counted.waiting !== null) this.#counted.waiting = Math.max(this.#counted.waiting - by, 0);
    this.#show();
  }

  #show() {
    this.#line.textContent = textOf(this.#counted);
    this.#line.hidden = !this.#counted.answered && !this.#counted.waiting;
  }
}

function textOf({ answered, is_more_answered: isOver, waiting, is_more: isMore }) {
  const done = `${isOver ? "Over " : ""}${numbers.format(answered)}`;
  if (waiting === null) return `${done} answered for this tag`;
  const left = `${isMore ? "over " : ""}${numbers.format(waiting)}`;
  if (isOver || isMore) return `${done} answered for this tag, ${left} to go`;
  return `${done} of ${numbers.format(answered + waiting)} answered for this tag`;
}
