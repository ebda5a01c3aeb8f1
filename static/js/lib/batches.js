// Sorts chosen files into what they are, and into requests that the server takes. Pure: nothing is sent here.
export const MOST_FILES = 100;
export const MOST_BYTES = 30 * 2 ** 20;

const ARCHIVE = /\.(zip|tar|tar\.(gz|bz2|xz)|tgz|tbz2|txz)$/i;
const SIDECAR = /\.(xmp|txt|json)$/i;
const CAPTIONS = /\.(csv|json)$/i;
// Files that systems leave beside pictures; nobody means to import them.
const LITTER = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX\/.*)$/i;

// `path` is the name with folders, as the server will show it.
// `sidecars` are files that lie beside a picture and speak of it, by the path of their picture.
export function sorted(items) {
  const found = { pictures: [], archives: [], captions: [], sidecars: new Map() };
  const wanted = [...items].filter((item) => !LITTER.test(item.path));
  const pictureOf = pairing(wanted);
  for (const item of wanted) {
    const picture = SIDECAR.test(item.path) && pictureOf(item.path);
    if (picture) found.sidecars.set(item, picture);
    else if (ARCHIVE.test(item.path)) found.archives.push(item);
    else if (CAPTIONS.test(item.path)) found.captions.push(item);
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
    if (SIDECAR.test(item.path) || ARCHIVE.test(item.path) || CAPTIONS.test(item.path)) continue;
    byName.set(item.path.toLowerCase(), item);
    if (!byStem.has(stem(item.path))) byStem.set(stem(item.path), item);
  }
  return (path) => byName.get(stem(path)) ?? byStem.get(stem(path));
}

// Batches of at most MOST_FILES files or MOST_BYTES; a larger file goes alone, and so does each archive.
// Sidecars go with their picture.
export function batches({ pictures, archives, sidecars }) {
  const made = archives.map((item) => ({ kind: "archive", items: [item], bytes: item.file.size }));
  const beside = new Map();
  for (const [item, picture] of sidecars) beside.set(picture, [...(beside.get(picture) ?? []), item]);
  let open = null;
  for (const item of pictures) {
    const fits = open && open.items.length < MOST_FILES && open.bytes + item.file.size <= MOST_BYTES;
    if (!fits) made.push((open = { kind: "files", items: [], bytes: 0 }));
    for (const one of [item, ...(beside.get(item) ?? [])]) {
      open.items.push(one);
      open.bytes += one.file.size;
    }
  }
  return made;
}
