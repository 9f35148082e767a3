/** The four counters with their sparklines, and the badges that say how far the numbers can be trusted. */

import { changeOf, earlier, sparkOf } from "./changes.js";
import { byId, h, icon, replace } from "./dom.js";
import { instantText } from "./format.js";
import { link, linkToRequests } from "./state.js";

function change(counter, data) {
  if (!counter.change_text) return h("p", { class: "counter-change" });
  if (counter.change === null) return h("p", { class: "counter-change" }, `${counter.change_text}, `, h("span", { class: "muted" }, "none in the period before"));
  return h("p", { class: "counter-change", title: earlier(counter.previous_text, data) }, changeOf(counter), " ", h("span", { class: "muted" }, "vs the period before"));
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
    sparkOf(counter.spark),
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

/** Where the prices of the cost come from, and what has none. */
function coverage({ priced_share: priced, reported_share: reported, unpriced_requests: unpriced }) {
  if (!reported && !unpriced) return "Every request priced by the price book";
  const parts = [[priced - reported, "price book"], [reported, "reported by the gateway"]].filter(([share]) => share > 0);
  const words = parts.map(([share, whose]) => `${percentText(share)} ${whose}`);
  if (unpriced) words.push(`${unpriced.toLocaleString("en")} ${unpriced === 1 ? "request" : "requests"} unpriced`);
  return words.join(", ");
}

/** The badge leads to the costs, where what has no price is listed. */
function costBadge(meta) {
  const isLow = meta.unpriced_requests > 0;
  const url = `${byId("dashboard").dataset.costsUrl}${link({ by: null, key: null, sort: null, iso: null })}`;
  const words = h("a", { href: url }, coverage(meta));
  return badge(isLow ? "warning" : "coin", words, { class: isLow ? "warn" : null, title: `Price book version ${meta.price_book_version}` });
}

/** Show until when, from what and how exactly the answer was made. */
export function renderTrust(data) {
  const { meta, range } = data;
  replace(
    byId("trust"),
    meta.fresh_until && badge("clock", `Up to ${instantText(meta.fresh_until, range.zone)}`, { title: `Every record stored until then is in these numbers. Read from ${meta.source}, ${meta.rows_read} rows, ${meta.elapsed_ms} ms.` }),
    meta.stale_hours > 0 && badge("warning", hoursText(meta.stale_hours), { class: "warn" }),
    typeof meta.priced_share === "number" && costBadge(meta),
    meta.last_verified && badge("shield", `Verified ${instantText(meta.last_verified, range.zone)}`, { title: "Aggregates were compared with every stored record then." }),
    badge("info", `Percentiles within ${percentText(meta.percentile_error)}`, { title: "Largest relative error of a percentile read from merged histograms." }),
  );
}
