// Asks again and again while somebody looks: pauses when the page is hidden, waits longer after failures.
export function poll(ask, every_ms) {
  let timer = null;
  let failures = 0;

  async function round() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await ask();
      failures = 0;
    } catch {
      failures += 1; // The next round asks again; whoever shows the answer knows how old it is.
    }
    timer = setTimeout(round, every_ms * Math.min(2 ** failures, 8));
  }

  document.addEventListener("visibilitychange", round);
  addEventListener("online", round);
  round();
  return round;
}
