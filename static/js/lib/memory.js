// Small things a browser may remember for a person: preferences and recent tags. Losing them loses no work.
export function remembered(key, otherwise, storage = localStorage) {
  return {
    read() {
      try {
        return JSON.parse(storage.getItem(key)) ?? otherwise;
      } catch {
        return otherwise;
      }
    },
    write(value) {
      try {
        storage.setItem(key, JSON.stringify(value));
      } catch {
        // Storage is full or forbidden: the page goes on without it.
      }
    },
  };
}
