/** Legends: buttons that isolate a series in all panels, toggle it with Ctrl or Cmd, and show everything again. */

import { css } from "./colors.js";
import { h, replace, svg } from "./dom.js";
import { text } from "./format.js";

/** A sample of the line or bar of a series. */
export function swatch(paint, form) {
  const color = css(paint.name);
  const shape =
    form === "line"
      ? svg("line", { x1: 1, y1: 5, x2: 13, y2: 5, stroke: color, "stroke-dasharray": paint.dash.length ? "3.5 3.2" : null })
      : svg("rect", { x: 2, y: 0, width: 10, height: 10, fill: color });
  return svg("svg", { class: "swatch", viewBox: "0 0 14 10", "aria-hidden": "true" }, shape);
}

/** The set of isolated labels after a click on one. An empty set shows everything. */
export function isolate(isolated, label, labels, toggle) {
  if (!toggle) return isolated.size === 1 && isolated.has(label) ? new Set() : new Set([label]);
  const next = isolated.size ? new Set(isolated) : new Set(labels);
  if (next.has(label)) next.delete(label);
  else next.add(label);
  return next.size === labels.length ? new Set() : next;
}

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

function item(series, model, onIsolate, isTable) {
  const labels = model.series.map((one) => one.label);
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(!series.hidden),
        title: `${series.label}. Click: only this one. Ctrl or Cmd + click: on or off. Double click: all.`,
        on: {
          click: (event) => event.detail < 2 && onIsolate(series.label, labels, event.ctrlKey || event.metaKey),
          dblclick: () => onIsolate(null, labels, false),
        },
      },
      swatch(series.paint, model.form),
      h("span", { class: "name" }, series.label),
      isTable && h("span", { class: "value last" }, text(lastOf(series), model.unit)),
      isTable && h("span", { class: "value max" }, text(series.max ?? null, model.unit)),
      h("span", { class: "value" }, wholeOf(series, model)),
    ),
  );
}

/** Fill the legend of a panel, keeping the keyboard where it was. `view`: whether it is a table, its order, and `sort(column)`. */
export function renderLegend(list, model, onIsolate, view) {
  const position = [...list.querySelectorAll("button")].indexOf(document.activeElement);
  list.classList.toggle("is-table", view.isTable);
  const series = view.isTable ? ordered(model, view) : model.series;
  replace(list, view.isTable && head(model, view), series.map((one) => item(one, model, onIsolate, view.isTable)));
  if (position >= 0) list.querySelectorAll("button")[position]?.focus();
}
