// The parts of the page that ask about one tag: picture, caption with the words that speak of it, score and reason.
import { captionNodes } from "lib/caption";
import { bar, sourceIcons, sourceWords } from "lib/chips";
import { element } from "lib/dom";
import { Viewer } from "lib/viewer";
import { showPicture } from "review/picture";
import { whyText } from "review/why";

export class Question {
  #root;
  #tag;
  #box;
  #ahead = null;

  constructor(root, tag) {
    this.#root = root;
    this.#tag = tag;
    this.#box = this.#part("picture");
    this.viewer = new Viewer({ stage: root.querySelector(".stage"), box: this.#box });
  }

  async show({ ahead }) {
    this.#ahead = ahead;
    const { item } = ahead;
    const suggestion = item.suggestions.find((one) => one.tag.id === this.#tag.id) ?? null;
    this.#part("caption").replaceChildren(...captionNodes(item.image.caption ?? "", suggestion ? [suggestion] : []));
    this.#part("facts").replaceChildren(...factsOf(suggestion));
    this.#part("why-text").textContent = whyText(item.why);
    this.#part("why").hidden = !item.why;
    const isWanted = () => this.#ahead === ahead;
    const remedy = "flag it and press Ignore";
    await showPicture({ viewer: this.viewer, box: this.#box, ahead, isWanted, remedy });
  }

  say(text) {
    this.#part("live").textContent = text;
  }

  // What a screen reader hears when an item comes up.
  introduction({ image }) {
    return `Image. ${image.caption ? `${image.caption} ` : ""}Does it show ${this.#tag.name}?`;
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }
}

function factsOf(suggestion) {
  if (!suggestion) return ["The model says nothing of it here."];
  const percent = element("span", { class: "num" }, `${Math.round(suggestion.score * 100)} %`);
  percent.append(element("span", { class: "visually-hidden" }, sourceWords(suggestion)));
  return [sourceIcons(suggestion), bar(suggestion.score), percent];
}
