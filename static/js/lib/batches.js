// Sorts chosen files into what they are, and into requests that the server takes. Pure: nothing is sent here.
export const MOST_FILES = 100;
export const MOST_BYTES = 30 * 2 ** 20;

const ARCHIVE = /\.zip$/i;
const CAPTIONS = /\.(csv|json)$/i;
// Files that systems leave beside pictures; nobody means to import them.
const LITTER = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX\/.*)$/i;

// `path` is the name with folders, as the server will show it.
export function sorted(items) {
  const found = { pictures: [], archives: [], captions: [] };
  for (const item of items) {
    if (LITTER.test(item.path)) continue;
    if (ARCHIVE.test(item.path)) found.archives.push(item);
    else if (CAPTIONS.test(item.path)) found.captions.push(item);
    else found.pictures.push(item);
  }
  return found;
}

// Batches of at most MOST_FILES files or MOST_BYTES; a larger file goes alone, and so does each archive.
export function batches({ pictures, archives }) {
  const made = archives.map((item) => ({ kind: "archive", items: [item], bytes: item.file.size }));
  let open = null;
  for (const item of pictures) {
    const fits = open && open.items.length < MOST_FILES && open.bytes + item.file.size <= MOST_BYTES;
    if (!fits) made.push((open = { kind: "files", items: [], bytes: 0 }));
    open.items.push(item);
    open.bytes += item.file.size;
  }
  return made;
}
