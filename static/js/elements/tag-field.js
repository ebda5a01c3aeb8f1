// <tag-field>: completes a form's field for one tag by name or alias. Without this module it is a plain field, and what
// is typed counts all the same.
import { Api } from "lib/api";
import { element } from "lib/dom";
import { TypeAhead } from "lib/typeahead";

class TagField extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const id = `${input.id}-options`;
    const list = element("div", { class: "menu", id, role: "listbox", "aria-label": "Tags", hidden: true });
    const box = element("div", { class: "completed" });
    input.replaceWith(box);
    box.append(input, list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-autocomplete": "list",
    })) {
      input.setAttribute(name, value);
    }
    const typeahead = new TypeAhead({
      root: box,
      api: new Api(this.dataset.api),
      keeps: true,
      without: Number(this.dataset.without) || null,
    });
    // Offline there is no first page of tags; what is typed is asked for all the same.
    typeahead.prepare().catch(() => {});
  }
}

customElements.define("tag-field", TagField);
