/** Asking the server: one question at a time, a newer one aborts the older. */

/** An answer that is an error, with words for the page. */
export class Problem extends Error {
  constructor(title, detail, id, status) {
    super(title);
    this.detail = detail;
    this.id = id;
    this.status = status;
  }
}

async function problemOf(response) {
  const fallback = { title: `The server answered ${response.status}`, detail: "", request_id: "" };
  let body = fallback;
  try {
    body = { ...fallback, ...(await response.json()) };
  } catch {
    // Not JSON: a proxy's page, for instance. The status says enough.
  }
  const reasons = (body.errors ?? []).map((error) => error.message).filter(Boolean);
  return new Problem(body.title, [body.detail, ...reasons].filter(Boolean).join(" "), body.request_id, response.status);
}

async function answered(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers }, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The portal cannot be reached", "Check the connection, then retry.", "", 0);
  }
  if (response.redirected && /sign-in|login/.test(response.url)) throw new Problem("You were signed out", "Reload the page to sign in again.", "", 401);
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** JSON of a URL; raises Problem for errors, AbortError when `signal` says so. */
export async function getJson(url, signal) {
  return (await answered(url, { signal })).json();
}

/** Send JSON (or nothing) with the page's token; the answer's JSON, null without any. Raises Problem. */
export async function send(method, url, token, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const response = await answered(url, { method, headers, body: body && JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/** A function that asks for JSON and gives up the question before it. */
export function latestOnly() {
  let running = null;
  return async (url) => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const answer = await getJson(url, mine.signal);
    // Given up when it was all there already: it is not the answer to what is asked now.
    mine.signal.throwIfAborted();
    running = null;
    return answer;
  };
}
