// The queue's reason in a sentence. The server sends a short code ("uncertain: dog 0.52"); other words become a sentence.
const REASONS = {
  sample: () => "It belongs to a random sample that keeps the figures honest.",
  holdout: () => "It belongs to a random sample that keeps the figures honest.",
  random: () => "Drawn by chance, so that the model meets the whole collection.",
  order: () => "It is next in order.",
  uncertain: (tag, score) => `The model is unsure about ${tag}${score ? `: ${percent(score)}` : ""}.`,
  score: (tag, score) => `Most likely first: the model gives ${tag} ${percent(score)}.`,
  unsure: () => "Somebody was unsure about it.",
  undo: () => "Its review was taken back.",
};

export function whyText(why) {
  const [, code, rest] = /^([\w-]+)(?::\s*(.*))?$/.exec(why ?? "") ?? [];
  const sentence = REASONS[code];
  if (!sentence) return why ? `${why[0].toUpperCase()}${why.slice(1)}.` : "";
  const [, tag, score] = /^(.*?)(?:\s+(\d?\.\d+|1\.0+))?$/.exec(rest ?? "") ?? [];
  return tag || sentence.length === 0 ? sentence(tag, score) : why;
}

function percent(score) {
  return `${Math.round(Number(score) * 100)} %`;
}
