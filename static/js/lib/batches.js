// Sorts chosen files into what they are, and into requests that the server takes. Pure: nothing is sent here.
export const MOST_FILES = 100;
export const MOST_BYTES = 30 * 2 ** 20;
// What the server takes in one request, with room for the form's other fields.
const WHOLE_FILES = 1_000;
const WHOLE_BYTES = 2 ** 30 - 2 ** 20;

const ARCHIVE = /\.(zip|tar|tar\.(gz|bz2|xz)|tgz|tbz2|txz)$/i;
const SIDECAR = /\.(xmp|txt|json)$/i;
const CAPTIONS = /\.(csv|json)$/i;
// Tables, lists and documents that speak of many pictures.
const DATA = /\.(tsv|tab|jsonl|ndjson|parquet|xml|manifest|yaml|txt|tfrecords?(-\d+-of-\d+)?)$/i;
// Files that systems leave beside pictures; nobody means to import them.
const LITTER = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX\/.*)$/i;

// `path` is the name with folders, as the server will show it.
// `sidecars` are files that lie beside a picture and speak of it, by the path of their picture.
export function sorted(items) {
  const found = { pictures: [], archives: [], captions: [], data: [], sidecars: new Map() };
  const wanted = [...items].filter((item) => !LITTER.test(item.path));
  const pictureOf = pairing(wanted);
  for (const item of wanted) {
    const picture = SIDECAR.test(item.path) && pictureOf(item.path);
    if (picture) found.sidecars.set(item, picture);
    else if (ARCHIVE.test(item.path)) found.archives.push(item);
    else if (CAPTIONS.test(item.path)) found.captions.push(item);
    else if (DATA.test(item.path)) found.data.push(item);
    else found.pictures.push(item);
  }
  return found;
}

// Answers a sidecar's picture: `a.jpg` for `a.jpg.xmp` and for `a.xmp`; the first of several that share a stem.
function pairing(items) {
  const stem = (path) => path.replace(/\.[^./]*$/, "").toLowerCase();
  const byName = new Map();
  const byStem = new Map();
  for (const item of items) {
    if ([SIDECAR, ARCHIVE, CAPTIONS, DATA].some((kind) => kind.test(item.path))) continue;
    byName.set(item.path.toLowerCase(), item);
    if (!byStem.has(stem(item.path))) byStem.set(stem(item.path), item);
  }
  return (path) => byName.get(stem(path)) ?? byStem.get(stem(path));
}

// Batches of at most MOST_FILES files or MOST_BYTES; a larger file goes alone, and so does each archive.
// Sidecars go with their picture, data files before all others: what cannot be sent in parts is told at once.
export function batches({ pictures, archives, data, sidecars }) {
  const made = archives.map((item) => ({ kind: "archive", items: [item], bytes: item.file.size }));
  const beside = new Map();
  for (const [item, picture] of sidecars) beside.set(picture, [...(beside.get(picture) ?? []), item]);
  let open = null;
  for (const item of [...data, ...pictures]) {
    const fits = open && open.items.length < MOST_FILES && open.bytes + item.file.size <= MOST_BYTES;
    if (!fits) made.push((open = { kind: "files", items: [], bytes: 0 }));
    for (const one of [item, ...(beside.get(item) ?? [])]) {
      open.items.push(one);
      open.bytes += one.file.size;
    }
  }
  return made;
}

// All in one request, for what is told only by all of its files; null where the server would not take it.
export function whole({ pictures, archives, captions, data, sidecars }) {
  const items = [...data, ...pictures, ...sidecars.keys()];
  const bytes = [...items, ...captions].reduce((sum, item) => sum + item.file.size, 0);
  const fits = !archives.length && items.length <= WHOLE_FILES && bytes <= WHOLE_BYTES;
  return fits ? [{ kind: "files", items, bytes }] : null;
}
