/** The legend with a row for each series: its newest value, its largest one and that of the whole range, in any order. */

import { h, replace } from "./dom.js";
import { text } from "./format.js";
import { item } from "./legend.js";

function wholeOf(series, model) {
  return series.range_text ?? (series.range === undefined ? "" : text(series.range, model.unit));
}

/** The newest value there is. */
function lastOf(series) {
  return series.values.findLast((value) => value !== null && value !== undefined) ?? null;
}

/** What the legend can be sorted by, once it shows more than the whole range. */
const COLUMNS = [
  ["name", () => "Series", (one) => one.label],
  ["last", () => "Last", lastOf],
  ["max", () => "Max", (one) => one.max],
  ["value", (model) => (model.unit === "share" || model.unit === "ms" || model.unit === "1/s" ? "Range" : "Total"), (one) => one.range],
];

/** The series in the chosen order; nothing is below every number. */
function ordered(model, { column, isRising }) {
  const found = COLUMNS.find(([name]) => name === column);
  if (!found) return model.series;
  const read = (one) => found[2](one) ?? -Infinity;
  const sorted = [...model.series].sort((one, other) => (read(one) < read(other) ? -1 : Number(read(one) > read(other))));
  return isRising ? sorted : sorted.reverse();
}

function head(model, view) {
  const sign = (name) => (view.column !== name ? "" : view.isRising ? " ↑" : " ↓");
  const button = ([name, label]) => h("button", { type: "button", class: name, "aria-label": `Sort by ${label(model)}${sign(name)}`, on: { click: () => view.sort(name) } }, label(model) + sign(name));
  return h("li", { class: "legend-head" }, COLUMNS.map(button));
}

function long(series, model, onIsolate) {
  const found = item(series, model, onIsolate, [
    h("span", { class: "value last" }, text(lastOf(series), model.unit)),
    h("span", { class: "value max" }, text(series.max ?? null, model.unit)),
    h("span", { class: "value" }, wholeOf(series, model)),
  ]);
  if (!series.isEveryone) found.firstElementChild.setAttribute("aria-pressed", String(!series.hidden));
  return found;
}

/** The long legend of a panel, shown on request instead of the short one. */
export class LongLegend {
  constructor(list, short, onIsolate) {
    Object.assign(this, { list, short, onIsolate, column: null, isRising: false, model: null });
  }

  get isShown() {
    return !this.list.hidden;
  }

  toggle() {
    this.list.hidden = this.isShown;
    this.short.hidden = this.isShown;
    this.show(this.model);
  }

  /** The largest first; names from A on, and the second time, the other way round. */
  sort(column) {
    this.isRising = this.column === column ? !this.isRising : column === "name";
    this.column = column;
    this.show(this.model);
  }

  /** Show a model, keeping the keyboard where it was. */
  show(model) {
    this.model = model;
    const position = [...this.list.querySelectorAll("button")].indexOf(document.activeElement);
    replace(this.list, this.isShown && [head(model, this), ...ordered(model, this).map((one) => long(one, model, this.onIsolate))]);
    if (position >= 0) this.list.querySelectorAll("button")[position]?.focus();
  }
}
