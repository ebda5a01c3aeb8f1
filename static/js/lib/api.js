// JSON over HTTP under one project's address. Every failure is an ApiError that says what kind it is: the callers
// decide whether to wait, to ask for a sign-in, or to tell the person.
const TIMEOUT_MS = 20_000;

export class ApiError extends Error {
  constructor({ kind, status = 0, code = kind, message, fields = {}, retryAfter_s = null }) {
    super(message);
    this.kind = kind; // "offline", "signed-out", "busy" (try again), "refused" (will not change by itself)
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.retryAfter_s = retryAfter_s;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function kindOf(status, message) {
  if (status === 401) return "signed-out";
  // A token of before the sign-in: the next try reads the new cookie.
  if (status === 403 && /csrf/i.test(message)) return "busy";
  if (status === 429 || status === 408 || status >= 500) return "busy";
  return "refused";
}

async function failure(response) {
  const body = await response.json().catch(() => null);
  return failureOf(response.status, body, response.headers.get("Retry-After"));
}

// A refusal from its status and JSON body, however it was fetched.
export function failureOf(status, body, retryAfter = null) {
  const error = body?.error ?? {};
  const message = error.message ?? body?.detail ?? `The server answered ${status}.`;
  return new ApiError({
    kind: kindOf(status, message),
    status,
    code: error.code ?? String(status),
    message,
    fields: error.fields,
    retryAfter_s: Number(retryAfter) || null,
  });
}

export class Api {
  constructor(base, csrfCookie = "csrftoken") {
    this.base = base;
    this.csrfCookie = csrfCookie;
  }

  get(path, { signal } = {}) {
    return this.#send(path, { signal });
  }

  post(path, body, options) {
    return this.#write("POST", path, body, options);
  }

  patch(path, body, options) {
    return this.#write("PATCH", path, body, options);
  }

  #write(method, path, body, { signal, keepalive = false } = {}) {
    return this.#send(path, {
      method,
      body: JSON.stringify(body),
      keepalive,
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie(this.csrfCookie) },
      signal,
    });
  }

  async #send(path, { signal, headers = {}, ...options }) {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    let response;
    try {
      response = await fetch(this.base + path, {
        credentials: "same-origin",
        redirect: "error",
        headers: { Accept: "application/json", ...headers },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        ...options,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError({ kind: "offline", message: "The server cannot be reached." });
    }
    if (!response.ok) throw await failure(response);
    return response.status === 204 ? null : response.json();
  }
}
