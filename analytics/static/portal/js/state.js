/** The state of the page is its URL: reading it, and building the URL of another state. */

/** Parameters that change what is shown of the answer, not the answer. */
const SHOWN_ONLY = ["p", "p_latency", "p_ttft", "p_itl", "p_tpot", "notes", "stack", "area", "tz"];
/** Where in a list one stands means nothing once the question changes. */
const POSITION = ["page", "place"];

/** The parameters of the page now. */
export function params() {
  return new URLSearchParams(location.search);
}

function readable(search) {
  return `?${search.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
}

/** Query string with parameters replaced: a text, a list for repeated ones, null to remove. Tables and lists start over. */
export function link(changes, base = params()) {
  const search = new URLSearchParams(base);
  for (const name of POSITION) search.delete(name);
  for (const [name, value] of Object.entries(changes)) {
    search.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined) search.append(name, String(one));
    }
  }
  return readable(search);
}

/** Query string with one more filter. */
export function linkWithFilter(text) {
  const filters = params().getAll("f");
  return link({ f: filters.includes(text) ? filters : [...filters, text], iso: null });
}

/** Query string of the requests behind the page's numbers, or behind one bucket, with one more filter if there is one. */
export function linkToRequests(filter, borders = {}) {
  const filters = params().getAll("f");
  const all = filter && !filters.includes(filter) ? [...filters, filter] : filters;
  return link({ ...borders, f: all }, new URLSearchParams(["from", "to"].flatMap((name) => params().getAll(name).map((value) => [name, value]))));
}

/** Query string without a filter. */
export function linkWithoutFilter(text) {
  return link({ f: params().getAll("f").filter((other) => other !== text) });
}

/** Query string of another window: `earlier`, `later` or `wider`. */
export function linkToRange(range, move) {
  const start = Date.parse(range.start);
  const end = Date.parse(range.end);
  const length = end - start;
  const [before, after] = { earlier: [-length, -length], later: [length, length], wider: [-length / 2, length / 2] }[move];
  return linkBetween(start + before, end + after);
}

/** Query string of the range between two instants in epoch milliseconds. */
export function linkBetween(start, end) {
  return link({ from: instant(start), to: instant(end), iso: params().getAll("iso") });
}

/** An instant of epoch milliseconds, as the URL writes it: UTC, whole seconds. */
export function instant(milliseconds) {
  return new Date(Math.round(milliseconds / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Whether two query strings ask the server the same question. */
export function sameQuestion(one, other) {
  return question(one) === question(other);
}

/** Whether two query strings differ in nothing but the isolated series: what is shown then needs no answer at first. */
export function sameButIsolated(one, other) {
  const [first, second] = [one, other].map((search) => new URLSearchParams(question(search)));
  for (const search of [first, second]) search.delete("iso");
  return first.toString() === second.toString();
}

/** The part of a query string that the server answers. */
export function question(search) {
  const left = new URLSearchParams(search);
  for (const name of SHOWN_ONLY) left.delete(name);
  return left.toString();
}

/** Whether the range moves with the clock, so that refreshing it makes sense. */
export function isRelative(state) {
  return /^now/.test(state.to);
}
