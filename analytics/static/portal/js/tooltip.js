/** The box beside the crosshair: values of one bucket, largest first; pinned by a click, it offers filters. */

import { besides } from "./beside.js";
import { swatch } from "./legend.js";
import { byId, goLink, h, replace } from "./dom.js";
import { bucket, text, textAtLeast } from "./format.js";
import { valuesAt } from "./model.js";
import { notesAt, sign } from "./notes.js";
import { instant, linkToRequests, linkWithFilter } from "./state.js";

const ROWS = 12;

const box = h("div", { class: "tooltip", hidden: true });
// Inside the page's landmark, where a screen reader that goes by landmarks finds what a pinned box offers; a chart that
// fills the screen hides whatever is not inside of it.
const settle = () => (document.fullscreenElement ?? document.querySelector("main") ?? document.body).append(box);
settle();
document.addEventListener("fullscreenchange", settle);

/** Filter that leaves out what another one selects; null where there is no opposite. */
function opposite(filter) {
  const [field, operator, ...rest] = filter.split(":");
  const other = { eq: "ne", null: "nnull" }[operator];
  return other ? [field, other, ...rest].join(":") : null;
}

/** A link to the requests of a bucket, perhaps to those of one series. */
function requestsLink(borders, filter, words) {
  return h("a", { href: `${byId("dashboard").dataset.requestsUrl}${linkToRequests(filter, borders)}` }, words);
}

function actions(filter, borders) {
  const exclude = opposite(filter);
  return h(
    "span",
    { class: "tooltip-actions" },
    goLink(linkWithFilter(filter), {}, "Filter to"),
    exclude && goLink(linkWithFilter(exclude), {}, "Exclude"),
    requestsLink(borders, filter, "Requests"),
  );
}

/** What a box leads to elsewhere on the page is hidden by a chart that fills the screen. */
function leaveFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
}

/** The groups below the top ones are rows of the table. */
function toTable() {
  const open = () => {
    leaveFullScreen();
    document.dispatchEvent(new CustomEvent("portal:unpin"));
    byId("breakdown").querySelector(".table-scroll").focus();
    byId("breakdown").scrollIntoView();
  };
  return h("span", { class: "tooltip-actions" }, h("button", { type: "button", class: "button small", on: { click: open } }, "In the table"));
}

function actionsOf(row, borders) {
  if (row.series.kind === "other" && row.series.isGroup) return toTable();
  return row.series.filter && actions(row.series.filter, borders);
}

function rowOf(row, model, index, total, borders) {
  const extra = besides(row, model, index, total);
  return h(
    "div",
    { class: "tooltip-row" },
    swatch(row.series.paint, model.form),
    h("span", { class: "name" }, row.series.label),
    h("span", { class: "value" }, textAtLeast(row.value, model.unit, row.least)),
    (borders && actionsOf(row, borders)) || (extra && h("span", { class: "extra" }, extra)),
  );
}

function footOf(model, index, rows, total, borders) {
  const isLeast = model.series.some((series) => !series.hidden && series.at_least?.[index]);
  const hidden = rows.length - ROWS;
  return h(
    "div",
    { class: "tooltip-foot" },
    model.population && rows.length > 0 && h("p", {}, `P${model.percentile} of ${model.population}`),
    hidden > 0 && h("p", {}, `${hidden} more in the table`),
    borders && h("p", {}, requestsLink(borders, null, "Open the requests")),
    model.form !== "line" && rows.length > 1 && h("div", { class: "tooltip-row" }, h("span", { class: "name" }, "Total"), h("span", { class: "value" }, textAtLeast(total, model.unit, isLeast))),
  );
}

/** What happened there; in a box that stays, a way to note something. */
function notedAt(model, index, isPinned) {
  const canNote = isPinned && byId("annotate");
  const announce = () => {
    leaveFullScreen();
    document.dispatchEvent(new CustomEvent("portal:annotate", { detail: model.axis.starts[index] }));
  };
  return [
    ...notesAt(model, index).map((note) => h("p", { class: "tooltip-note" }, sign(note.kind), h("span", {}, h("strong", {}, note.kind_label), ` ${note.text}`))),
    canNote && h("p", { class: "tooltip-note" }, h("button", { type: "button", class: "button small", on: { click: announce } }, "Annotate")),
  ];
}

/** Fill the box for one bucket of a panel. */
function fill(model, index, pinned) {
  const rows = valuesAt(model, index);
  const total = rows.reduce((sum, row) => sum + row.value, 0);
  const { starts, ends, partial, zone } = model.axis;
  // Only a box that stays can be clicked.
  const borders = pinned ? { from: instant(starts[index]), to: instant(ends[index]) } : null;
  const foot = footOf(model, index, rows, total, borders);
  replace(
    box,
    h("p", { class: "tooltip-time" }, `${bucket(starts[index], ends[index], zone)} ${zone}`, index >= partial && h("span", { class: "warn" }, "still filling")),
    rows.slice(0, ROWS).map((row) => rowOf(row, model, index, total, borders)),
    rows.length === 0 && h("p", { class: "tooltip-row muted" }, "No value"),
    foot.childElementCount > 0 && foot,
    notedAt(model, index, pinned),
  );
}

function place(x, y) {
  const { width, height } = box.getBoundingClientRect();
  const left = x + 16 + width > window.innerWidth - 8 ? x - 16 - width : x + 16;
  const top = Math.min(Math.max(8, y - height / 2), window.innerHeight - height - 8);
  box.style.transform = `translate(${Math.round(Math.max(8, left))}px, ${Math.round(top)}px)`;
}

/** Show the values of a bucket near a point of the window. */
export function showTooltip(model, index, x, y, pinned) {
  fill(model, index, pinned);
  box.hidden = false;
  box.classList.toggle("is-pinned", pinned);
  place(x, y);
}

/** Hide the box. */
export function hideTooltip() {
  box.hidden = true;
  box.classList.remove("is-pinned");
}

/** Whether a node lies in the box. */
export function inTooltip(node) {
  return box.contains(node);
}

/** The values of a bucket as a sentence, for the live region. */
export function spoken(model, index) {
  const { starts, ends, zone } = model.axis;
  const rows = valuesAt(model, index).slice(0, 4);
  const values = rows.map((row) => `${row.series.label} ${textAtLeast(row.value, model.unit, row.least)}`).join(", ");
  const noted = notesAt(model, index).map((note) => `. ${note.kind_label}: ${note.text}`).join("");
  return `${bucket(starts[index], ends[index], zone)}: ${values || "no value"}${noted}`;
}
