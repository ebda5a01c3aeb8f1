// A caption with what was read in it: words that speak for a tag, negated words struck with their cue. Offsets come in
// characters (code points), as Python counts them, not in UTF-16 units.
import { element } from "lib/dom";

// Spans in reading order, without overlap: [{start, end, kind, marks: [chip positions]}].
export function spansOf(chips) {
  const spans = [];
  const add = (span) => {
    if (!(span.start < span.end)) return;
    const same = spans.find((other) => other.start === span.start && other.end === span.end);
    if (same) same.marks.push(...span.marks);
    else if (!spans.some((other) => span.start < other.end && other.start < span.end)) spans.push(span);
  };
  chips.forEach((chip, index) => {
    for (const { evidence } of chip.sources) {
      if (!evidence) continue;
      const kind = evidence.negated ? "negated" : chip.offered ? "strong" : "weak";
      add({ start: evidence.start, end: evidence.end, kind, marks: [index + 1] });
    }
  });
  for (const chip of chips) {
    for (const { evidence } of chip.sources) {
      if (!evidence?.negated || evidence.cue_start == null) continue;
      add({ start: evidence.cue_start, end: evidence.cue_end, kind: "cue", marks: [] });
    }
  }
  return spans.sort((a, b) => a.start - b.start);
}

// Marks the caption in `root` by what the server left beside it: [{name, offered, sources}].
export function markCaption(root) {
  const caption = root?.querySelector("[data-evidence]");
  if (!caption) return;
  const tags = JSON.parse(caption.dataset.evidence);
  caption.replaceChildren(...captionNodes(caption.textContent, tags, (at) => tags[at - 1].name));
}

// `label` says what stands at a marked word, by the position of its chip: the number, or the tag's name where no chips
// stand beside the caption.
export function captionNodes(caption, chips, label = String) {
  const letters = Array.from(caption);
  const text = (start, end) => letters.slice(start, end).join("");
  const nodes = [];
  let at = 0;
  for (const span of spansOf(chips)) {
    if (span.end > letters.length) continue;
    nodes.push(text(at, span.start), markOf(span, text(span.start, span.end), label));
    at = span.end;
  }
  nodes.push(text(at));
  return nodes.filter((node) => node !== "");
}

function markOf(span, words, label) {
  if (span.kind === "cue") return element("span", { class: "cue" }, words);
  // A name that says what the word says already is left out.
  const labels = span.marks.map(label).filter((text) => text.toLowerCase() !== words.toLowerCase());
  const marks = labels.length ? [element("sup", { "aria-hidden": "true" }, labels.join(" "))] : [];
  if (span.kind === "negated") return element("del", {}, words, ...marks);
  return element("mark", { "data-weak": span.kind === "weak" }, words, ...marks);
}
