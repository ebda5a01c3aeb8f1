// Files of a drop or of an input with the folders they lie in: { file, path }.
export function ofInput(input) {
  return [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

export async function ofDrop(transfer) {
  // The list is emptied as soon as the handler yields, so the entries are taken first.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const loose = [...transfer.files];
  const found = [];
  for (const [index, entry] of entries.entries()) {
    if (entry) await collect(entry, found);
    else if (loose[index]) found.push({ file: loose[index], path: loose[index].name });
  }
  return found;
}

async function collect(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  // A reader answers a hundred entries at a time, and none when there are no more.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await collect(child, found);
  }
}
