/** The table behind a chart, and the same rows as text for clipboard and file. */

import { h, replace } from "./dom.js";
import { bucket, text, textAtLeast } from "./format.js";
import { instant } from "./state.js";

/** One column per series, and one for each compared with an earlier period. */
function columns(model) {
  return model.series.flatMap((series) => {
    const own = { label: series.label, values: series.values, least: series.at_least, whole: series.range_text ?? text(series.range ?? null, model.unit) };
    return series.previous ? [own, { label: `${series.label}, before`, values: series.previous, whole: "" }] : [own];
  });
}

function head(found) {
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), found.map(({ label }) => h("th", { scope: "col", class: "number" }, label))));
}

// All panels of an answer have one axis: the names of its buckets are written once.
const named = new WeakMap();

function bucketNames(axis) {
  if (!named.has(axis)) named.set(axis, axis.starts.map((start, index) => bucket(start, axis.ends[index], axis.zone)));
  return named.get(axis);
}

function row(model, found, index) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, bucketNames(model.axis)[index]),
    found.map(({ values, least }) => h("td", { class: "number" }, textAtLeast(values[index], model.unit, least?.[index]))),
  );
}

function foot(found) {
  const cells = found.map(({ whole }) => h("td", { class: "number" }, whole));
  return h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "Whole range"), cells));
}

/** Fill the table of a panel with every bucket, newest last. */
export function renderTable(container, model) {
  const caption = h("caption", { class: "visually-hidden" }, `${model.title}, ${model.range.label}, ${model.axis.zone}`);
  const found = columns(model);
  const rows = model.axis.starts.map((_, index) => row(model, found, index));
  replace(container, h("table", { class: "table" }, caption, head(found), h("tbody", {}, rows), foot(found)));
}

/** Rows of raw values: instants in UTC, numbers as they are, nothing where there is none. */
function rawRows(model) {
  const found = columns(model);
  const heading = ["start", ...found.map(({ label }) => label)];
  const rows = model.axis.starts.map((start, index) => [instant(start), ...found.map(({ values }) => values[index] ?? "")]);
  return [heading, ...rows];
}

/** A cell that no spreadsheet takes for a formula. */
function safe(cell) {
  const written = String(cell);
  return typeof cell === "string" && /^[=+\-@\t\r]/.test(written) ? `'${written}` : written;
}

function quoted(cell) {
  const written = safe(cell);
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
}

/** The panel as CSV. */
export function panelCsv(model) {
  return rawRows(model).map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/** The panel as lines with tabs, for pasting into a spreadsheet. */
export function panelTabs(model) {
  return rawRows(model).map((cells) => cells.map((cell) => safe(cell).replaceAll(/[\t\r\n]/g, " ")).join("\t")).join("\n");
}
