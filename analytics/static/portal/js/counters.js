/** The four counters with their sparklines, and the badges that say how far the numbers can be trusted. */

import { byId, h, icon, replace, svg } from "./dom.js";
import { instantText, moment } from "./format.js";
import { link, linkToRequests } from "./state.js";

const WIDTH = 120;
const HEIGHT = 40;
const UNCHANGED = 0.0005;

function sparkline(values) {
  const numbers = values.map((value) => value ?? 0);
  if (numbers.length < 2 || values.every((value) => value === null)) return null;
  const top = Math.max(...numbers) || 1;
  const points = numbers.map((value, index) => `${((index / (numbers.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`);
  return svg(
    "svg",
    { class: "counter-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "area", d: `M0,${HEIGHT} L${points.join(" L")} L${WIDTH},${HEIGHT} Z` }),
    svg("path", { class: "line", d: `M${points.join(" L")}` }),
  );
}

/** What the change is measured against: the earlier value and its dates. */
function earlier(counter, data) {
  if (!counter.previous_text || !data.previous) return null;
  const [start, end] = [data.previous.start, data.previous.end].map((iso) => moment(Date.parse(iso), data.range.zone, "d LLL HH:mm"));
  return `${counter.previous_text} from ${start} to ${end}`;
}

function change(counter, data) {
  if (!counter.change_text) return h("p", { class: "counter-change" });
  if (counter.change === null) return h("p", { class: "counter-change" }, `${counter.change_text}, `, h("span", { class: "muted" }, "none in the period before"));
  const arrow = Math.abs(counter.change) < UNCHANGED ? null : counter.change > 0 ? "arrow-up" : "arrow-down";
  return h("p", { class: "counter-change", title: earlier(counter, data) }, arrow && icon(arrow), `${counter.change_text} `, h("span", { class: "muted" }, "vs the period before"));
}

/** The coverage of the cost leads to what has no price. */
function costNote(words) {
  const { costsUrl } = byId("dashboard").dataset;
  return h("li", {}, h("a", { href: `${costsUrl}${link({ by: null, key: null, sort: null, iso: null })}` }, words));
}

/** What failed leads to the requests that did. */
function note(words) {
  if (!/\bfailed\b/.test(words) || /^0 failed/.test(words)) return h("li", {}, words);
  const { requestsUrl } = byId("dashboard").dataset;
  return h("li", { class: "bad" }, h("a", { href: `${requestsUrl}${linkToRequests("failed:eq:true")}` }, words));
}

function counterElement(counter, data) {
  return h(
    "div",
    { class: "counter", data: { counter: counter.name } },
    h("h2", { class: "counter-label" }, counter.label),
    h(
      "p",
      { class: "counter-value", tabindex: "0" },
      counter.at_least && h("span", { class: "counter-at-least" }, "at least "),
      h("span", { "aria-hidden": "true" }, counter.compact),
      h("span", { class: "visually-hidden" }, counter.text),
    ),
    h("span", { class: "counter-exact", "aria-hidden": "true" }, counter.text),
    counter.converted && h("p", { class: "counter-converted" }, counter.converted),
    change(counter, data),
    h("ul", { class: "counter-notes" }, (counter.notes ?? []).map(counter.name === "cost" ? costNote : note)),
    // The unfinished bucket would end every line with a fall.
    sparkline((counter.spark ?? []).slice(0, data.buckets.partial_from ?? undefined)),
  );
}

/** Show the counters of an answer. */
export function renderCounters(data) {
  const focused = document.activeElement?.closest?.("[data-counter]")?.dataset.counter;
  replace(byId("counters"), data.counters.map((counter) => counterElement(counter, data)));
  if (focused) document.querySelector(`[data-counter="${focused}"] .counter-value`)?.focus();
}

function badge(name, words, properties = {}) {
  return h("li", properties, icon(name), words);
}

function hoursText(count) {
  return count === 1 ? "1 hour waits for aggregation, read from the records meanwhile" : `${count} hours wait for aggregation, read from the records meanwhile`;
}

function percentText(share) {
  return `${(share * 100).toLocaleString("en", { maximumFractionDigits: 2 })} %`;
}

/** Show until when, from what and how exactly the answer was made. */
export function renderTrust(data) {
  const { meta, range } = data;
  const priced = meta.priced_share;
  const unpriced = meta.unpriced_requests > 0;
  const cost = unpriced ? `${percentText(priced ?? 0)} of requests priced, ${meta.unpriced_requests.toLocaleString("en")} unpriced` : "Every request priced";
  replace(
    byId("trust"),
    meta.fresh_until && badge("clock", `Up to ${instantText(meta.fresh_until, range.zone)}`, { title: `Every record stored until then is in these numbers. Read from ${meta.source}, ${meta.rows_read} rows, ${meta.elapsed_ms} ms.` }),
    meta.stale_hours > 0 && badge("warning", hoursText(meta.stale_hours), { class: "warn" }),
    priced !== null && priced !== undefined && badge(unpriced ? "warning" : "coin", cost, { class: unpriced ? "warn" : null, title: `Price book version ${meta.price_book_version}` }),
    meta.last_verified && badge("shield", `Verified ${instantText(meta.last_verified, range.zone)}`, { title: "Aggregates were compared with every stored record then." }),
    badge("info", `Percentiles within ${percentText(meta.percentile_error)}`, { title: "Largest relative error of a percentile read from merged histograms." }),
  );
}
