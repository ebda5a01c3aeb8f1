// Sends what the outbox holds to where it belongs: reviews of whole images as one list, each answer about one tag by itself.
import { ApiError } from "lib/api";

// (bodies) => [{status, review | error}] in order; `review` holds the id by which it is taken back.
export function submitter(api) {
  return async (bodies) => {
    const reviews = bodies.filter((body) => !isOneTag(body));
    const stored = reviews.length ? await api.post("reviews/", reviews) : [];
    const results = [];
    for (const body of bodies) results.push(isOneTag(body) ? await answerTag(api, body) : stored.shift());
    return results;
  };
}

export function isOneTag(body) {
  return body.outcome === undefined;
}

async function answerTag(api, body) {
  try {
    const { page } = await api.post("verify/", body);
    return { status: 200, review: { id: page } };
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== "refused") throw error;
    return { status: error.status, error };
  }
}
