// Sends one form with progress, and again while only the way there fails. The form's client_id makes a request
// that arrived twice count once.
import { ApiError, failureOf } from "lib/api";
import { Backoff } from "lib/backoff";

const TRIES = 6;

export async function send(address, form, { token, signal, onProgress, onWait }) {
  const backoff = new Backoff({ first_ms: 1_000, most_ms: 20_000 });
  for (let tried = 1; ; tried += 1) {
    try {
      return await once(address, form, { token, signal, onProgress });
    } catch (error) {
      const mayPass = error instanceof ApiError && ["offline", "busy"].includes(error.kind);
      if (!mayPass || tried === TRIES || signal.aborted) throw error;
      onWait(error);
      await pause(error.retryAfter_s ? error.retryAfter_s * 1_000 : backoff.next(), signal);
    }
  }
}

// fetch says nothing of an upload's progress, hence XMLHttpRequest.
function once(address, form, { token, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const end = (act) => (value) => {
      signal.removeEventListener("abort", stop);
      act(value);
    };
    const [done, failed] = [end(resolve), end(reject)];
    request.open("POST", address);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status < 400 && request.response) done(request.response);
      else failed(failureOf(request.status, request.response, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", () =>
      failed(new ApiError({ kind: "offline", message: "The server cannot be reached." })),
    );
    request.addEventListener("abort", () => failed(new DOMException("Stopped.", "AbortError")));
    signal.addEventListener("abort", stop);
    request.send(form);
  });
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
