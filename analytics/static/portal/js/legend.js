/** Legends: buttons that isolate a series in all panels, toggle it with Ctrl or Cmd, and show everything again. */

import { css } from "./colors.js";
import { h, replace, svg, write } from "./dom.js";
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

/** A series in a list: a button that isolates it, with its name and values. Everyone stays beside whatever is isolated. */
export function item(series, model, onIsolate, values) {
  const content = [swatch(series.paint, model.form), h("span", { class: "name" }, series.label), values];
  if (series.isEveryone) return h("li", {}, h("span", { class: "legend-fixed", title: "All requests of the organization" }, content));
  const labels = model.series.filter((one) => !one.isEveryone).map((one) => one.label);
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        title: `${series.label}. Click: only this one. Ctrl or Cmd + click: on or off. Double click: all.`,
        on: {
          click: (event) => event.detail < 2 && onIsolate(series.label, labels, event.ctrlKey || event.metaKey),
          dblclick: () => onIsolate(null, labels, false),
        },
      },
      content,
    ),
  );
}

// What the buttons of a list are made of: while it stays the same, only their values and states are written.
const made = new WeakMap();

function materials({ form, series }) {
  return JSON.stringify([form, series.map(({ label, paint }) => [label, paint.dash, css(paint.name)])]);
}

/** Fill the legend of a panel, keeping the keyboard where it was. */
export function renderLegend(list, model, onIsolate) {
  const wanted = materials(model);
  if (made.get(list) !== wanted) rebuild(list, model, onIsolate);
  made.set(list, wanted);
  [...list.children].forEach(({ firstElementChild: entry }, index) => {
    const { range, range_text: words, hidden, isEveryone } = model.series[index];
    write(entry.querySelector(".value"), words ?? (range === undefined ? "" : text(range, model.unit)));
    if (!isEveryone) entry.setAttribute("aria-pressed", String(!hidden));
  });
}

function rebuild(list, model, onIsolate) {
  const position = [...list.querySelectorAll("button")].indexOf(document.activeElement);
  replace(list, model.series.map((series) => item(series, model, onIsolate, h("span", { class: "value" }))));
  if (position >= 0) list.querySelectorAll("button")[position]?.focus();
}
