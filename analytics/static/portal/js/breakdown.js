/** The breakdown table: one row per value of the view, sorted and paged by the server. */

import { changeOf, earlier, sparkOf } from "./changes.js";
import { byId, goLink, h, replace } from "./dom.js";
import { link, linkWithFilter } from "./state.js";

function sortOf(column, sort) {
  if (sort === column) return "ascending";
  return sort === `-${column}` ? "descending" : null;
}

function heading(column, sort) {
  if (!column.sort) return h("th", { scope: "col" }, column.label);
  const next = sort === `-${column.sort}` ? column.sort : `-${column.sort}`;
  return h("th", { scope: "col", class: "number", "aria-sort": sortOf(column.sort, sort) }, goLink(link({ sort: next }), {}, column.label));
}

function share(row, text) {
  const bar = h("i", { "aria-hidden": "true" });
  bar.style.setProperty("--part", `${Math.min(100, Number(row.values.share ?? 0) * 100)}%`);
  return h("span", { class: "share" }, bar, text);
}

function changeCell(row, data) {
  if (!row.change_text) return h("td", { class: "number" }, "–");
  return h("td", { class: row.bad ? "number change bad" : "number change", title: earlier(row.previous_text, data) }, changeOf(row));
}

function cell(row, column, data) {
  if (column.name === "change") return changeCell(row, data);
  if (column.name === "spark") return h("td", { class: "course", title: row.spark?.words }, sparkOf(row.spark));
  const text = row.texts[column.name] ?? "–";
  const isFailing = column.name === "failure_rate" && Number(row.values.failure_rate) >= 0.05;
  const hasBar = column.name === "share" && row.filter !== undefined && row.values.share !== null && row.values.share !== undefined;
  const kinds = ["number", isFailing && "bad", column.unit === "usd" && "amount"].filter(Boolean).join(" ");
  return h("td", { class: kinds }, hasBar ? share(row, text) : text);
}

function rowElement(row, data) {
  const label = row.filter ? goLink(linkWithFilter(row.filter), { title: `Filter to ${row.label}` }, row.label) : row.label;
  return h("tr", {}, h("th", { scope: "row", class: "sticky" }, label), data.breakdown.columns.map((column) => cell(row, column, data)));
}

function pager(table) {
  if (table.pages <= 1) return null;
  const step = (page, label) => goLink(`${link({})}&page=${page}`, { class: "button small" }, label);
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of the table" },
    h("span", { class: "muted small" }, `Page ${table.page} of ${table.pages}`),
    table.page > 1 && step(table.page - 1, "Previous"),
    table.page < table.pages && step(table.page + 1, "Next"),
  );
}

/** Put another table in the place of the old one; keys stand where they stood, on the same heading or on the table. */
function exchange(...children) {
  const place = byId("breakdown");
  const { activeElement: focused } = document;
  const wasInside = place.contains(focused);
  const headings = () => [...place.querySelectorAll("thead a")];
  const number = headings().indexOf(focused);
  replace(place, ...children);
  if (wasInside) (headings()[number] ?? place.querySelector(".table-scroll")).focus({ preventScroll: true });
}

/** Show the table of an answer. */
export function renderBreakdown(data) {
  const { breakdown: table, view } = data;
  const title = view.by === "metadata" && view.key ? view.key : view.label;
  const scrolled = byId("breakdown").querySelector(".table-scroll")?.scrollLeft ?? 0;
  const scroll = h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table, scrolls sideways" },
    h(
      "table",
      { class: "table breakdown-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "sticky" }, title), table.columns.map((column) => heading(column, table.sort)))),
      h("tbody", {}, table.rows.map((row) => rowElement(row, data))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row", class: "sticky" }, "Total"), table.columns.map((column) => cell(table.total, column, data)))),
    ),
  );
  const head = h("header", { class: "section-head inside" }, h("h2", { id: "breakdown-title" }, view.label));
  exchange(h("section", { class: "breakdown card", "aria-labelledby": "breakdown-title" }, head, scroll, pager(table)));
  scroll.scrollLeft = scrolled;
}
