/** What a tooltip says of a series besides its value: of how many requests it is, and what part of it is special. */

import { text } from "./format.js";

function count(value) {
  return text(value ?? 0, "count");
}

function requests(value) {
  return `${count(value)} ${value === 1 ? "request" : "requests"}`;
}

function share(row, total) {
  return total > 0 ? text(row.value / total, "share") : "";
}

/** A part of the tokens, where there is any. */
function part(value, words) {
  return value ? `${text(value, "tokens")} ${words}` : "";
}

function samples(row) {
  return row.samples === undefined ? "" : `n = ${count(row.samples)}`;
}

function extremes(least, most) {
  return least === null || least === undefined ? "" : `${text(least, "ms")} to ${text(most, "ms")}`;
}

/** Samples of one kind, where there is any. */
function some(value, words) {
  return value ? `${count(value)} ${words}` : "";
}

const OF = {
  requests_per_second: (row, at) => [requests(at("requests"))],
  failure_rate: (row, at) => [`${count(at("failed"))} of ${requests(at("requests"))}`],
  failure_rate_by_status_code: (row, at, index) => [requests(row.series.counts?.[index])],
  latency: (row, at) => [samples(row), extremes(at("least"), at("most"))],
  itl: (row, at) => [samples(row), some(at("reported"), "reported by the gateway")],
  tpot: (row, at) => [samples(row), some(at("streamed"), "streaming"), some(at("whole"), "not streaming")],
  cost: (row, at, index, total) => [share(row, total), requests(at("requests")), at("unpriced") ? `${count(at("unpriced"))} unpriced` : ""],
  input_tokens: (row, at, index, total) => [share(row, total), part(at("cached"), "cached")],
  output_tokens: (row, at, index, total) => [share(row, total), part(at("reasoning"), "reasoning")],
};

/** The words beside the value of a row (`valuesAt`) at a bucket; `total` is the height of a stack. */
export function besides(row, model, index, total) {
  const at = (name) => row.series.beside[name]?.[index];
  const own = OF[model.name]?.(row, at, index, total) ?? (model.form === "line" ? [samples(row)] : [share(row, total)]);
  const before = row.previous === undefined ? "" : `before ${text(row.previous, model.unit)}`;
  return [before, ...own].filter(Boolean).join(" · ");
}
