// The table behind a plot as columns and rows; annotations/views/plots.py says what roles, forms and tones there are.

export function readTable(table) {
  const rows = [...table.tBodies[0].rows];
  const columns = [...table.tHead.rows[0].cells].map((head, at) => ({
    name: head.textContent.trim(),
    role: head.dataset.role ?? "",
    form: head.dataset.form ?? "text",
    tone: head.dataset.tone ?? "",
    texts: rows.map((row) => row.cells[at].textContent.trim()),
    values: rows.map((row) => numberOf(row.cells[at])),
  }));
  return { columns, tones: rows.map((row) => row.dataset.tone ?? ""), length: rows.length };
}

export function ofRole(data, ...roles) {
  return data.columns.filter((column) => roles.includes(column.role));
}

// The bounds of a column: the two columns behind it, where they say so.
export function boundsOf(data, column) {
  const at = data.columns.indexOf(column);
  const [low, high] = [data.columns[at + 1], data.columns[at + 2]];
  return low?.role === "low" && high?.role === "high" ? { low, high } : null;
}

// What a row is about: “v5”, or “Score .52” where the first column holds numbers.
export function rowName(data, row) {
  const [first] = data.columns;
  return first.form === "text" ? first.texts[row] : `${first.name} ${first.texts[row]}`;
}

// A row in words: what the arrow keys read out.
export function sentence(data, row) {
  const said = data.columns.slice(1).filter((column) => column.texts[row] !== "–");
  const facts = said.map((column) => `${column.name} ${column.texts[row]}`);
  return `${rowName(data, row)}: ${facts.join(", ") || "nothing"}`;
}

function numberOf(cell) {
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}
