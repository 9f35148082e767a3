/** The export dialog: what to group, which values, a preview, a file, or the same by API. */

import { byId, closable, copyText, h, replace } from "./dom.js";
import { describe, focusBody, focusUrl, showChoices } from "./export-focus.js";
import { prepare, stop } from "./export-job.js";
import { latestOnly } from "./load.js";

const PREVIEW_ROWS = 10;
const DELAY = 250;
const FOCUS = "focus";

let page = null;
let timer = 0;
let choice = 0; // grows: the answer to an earlier one comes too late
const ask = latestOnly();

function checked(id) {
  return [...byId(id).querySelectorAll("input:checked")].map((input) => input.value);
}

function pressed(id, name) {
  return byId(id).querySelector('[aria-pressed="true"]').dataset[name];
}

/** Parameters of the report for the choices of now, without format and organization. */
function reportQuery() {
  const { range, state } = page.data();
  const measures = checked("export-measures");
  const groups = [...checked("export-groups"), pressed("export-every", "every")].filter(Boolean);
  const query = new URLSearchParams({ start: range.start, end: range.end });
  if (groups.length) query.set("group_by", groups.join(","));
  if (measures.length < byId("export-measures").querySelectorAll("input").length) query.set("measures", measures.join(","));
  if (state.pop !== "successful") query.set("population", state.pop);
  for (const { text } of state.filters) query.append("filter", text);
  return query;
}

function reportUrl(format, ownOrganization) {
  if (format === FOCUS) return focusUrl(page.data().range, ownOrganization ? page.organization : "");
  const query = reportQuery();
  if (ownOrganization) query.set("organization", page.organization);
  query.set("format", format);
  return `${page.reportUrl}?${query}`;
}

/** The same question as the body of an export in the background. */
function exportBody() {
  if (pressed("export-format", "format") === FOCUS) return focusBody(page.data().range);
  const query = reportQuery();
  const filter = query.getAll("filter");
  query.delete("filter");
  return { of: "report", format: pressed("export-format", "format"), ...Object.fromEntries(query), ...(filter.length ? { filter } : {}) };
}

function cell(value) {
  const isNumber = typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
  // The file has every digit; the preview has room for six.
  const shown = typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  return h("td", { class: isNumber ? "number" : null }, String(shown ?? ""));
}

function previewTable(rows) {
  const columns = Object.keys(rows[0]);
  return h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((name) => cell(row[name]))))),
  );
}

function showPreview(answer) {
  const total = answer.meta?.row_count ?? answer.rows.length;
  const shown = answer.rows.slice(0, PREVIEW_ROWS);
  byId("export-rows").textContent = shown.length < total ? `First ${shown.length} of ${total.toLocaleString("en")} rows` : `${total} ${total === 1 ? "row" : "rows"}`;
  replace(byId("export-preview"), shown.length ? previewTable(shown) : h("p", { class: "muted" }, "No rows for these choices."));
}

async function preview() {
  const mine = choice;
  byId("export-rows").textContent = "Loading";
  try {
    const answer = await ask(reportUrl("json", true));
    if (mine === choice) showPreview(answer);
  } catch (error) {
    if (error.name === "AbortError" || mine !== choice) return;
    byId("export-rows").textContent = "";
    replace(byId("export-preview"), h("p", { class: "bad" }, `${error.message}. ${error.detail ?? ""}`));
  }
}

/** Nothing to export: no file, no preview. */
function refuse() {
  clearTimeout(timer);
  byId("export-download").removeAttribute("href");
  byId("export-rows").textContent = "";
  replace(byId("export-preview"), h("p", { class: "muted" }, "Choose at least one value."));
}

function pickMeasures(event) {
  for (const input of byId("export-measures").querySelectorAll("input")) input.checked = event.currentTarget.dataset.measures === "all";
  refresh();
}

function refresh() {
  choice += 1;
  const format = pressed("export-format", "format");
  const isFocus = format === FOCUS;
  showChoices(isFocus);
  const measures = isFocus ? 1 : checked("export-measures").length;
  const all = byId("export-measures").querySelectorAll("input").length;
  byId("export-measure-count").textContent = measures === all ? "all" : `${measures} of ${all}`;
  byId("export-download").classList.toggle("is-disabled", measures === 0);
  byId("export-prepare").hidden = measures === 0;
  if (measures === 0) {
    refuse();
    return;
  }
  byId("export-download").href = reportUrl(format, true);
  byId("export-curl").textContent = `curl -fOJ -H "Authorization: Bearer YOUR_READ_KEY" \\\n  '${location.origin}${reportUrl(format, false)}'`;
  clearTimeout(timer);
  if (isFocus) describe(page.data().range);
  else timer = setTimeout(preview, DELAY);
}

function press(event) {
  const button = event.target.closest("button");
  if (!button) return;
  for (const other of event.currentTarget.children) other.setAttribute("aria-pressed", String(other === button));
  refresh();
}

/** Open the dialog with the page's range, filters and View by. */
export function openExport() {
  const { view, range, state } = page.data();
  const grouping = view.by === "metadata" ? `metadata.${view.key}` : view.by;
  for (const input of byId("export-groups").querySelectorAll("input")) input.checked = input.value === grouping;
  const filters = state.filters.length;
  byId("export-scope").textContent = `${range.label}, ${range.zone}${filters ? `, ${filters} ${filters === 1 ? "filter" : "filters"}` : ""}`;
  byId("export-dialog").showModal();
  refresh();
}

async function copy(event) {
  const button = event.currentTarget;
  const label = button.lastChild;
  const words = label.textContent;
  label.textContent = (await copyText(byId("export-curl").textContent)) ? "Copied" : "Not allowed";
  setTimeout(() => {
    label.textContent = words;
  }, 1500);
}

/** Wire the dialog. `dashboard` offers `data()`, `organization`, `reportUrl` and `exportsUrl`. */
export function bindExport(dashboard) {
  page = dashboard;
  closable(byId("export-dialog"));
  byId("export-open").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    openExport();
  });
  for (const id of ["export-groups", "export-measures"]) byId(id).addEventListener("change", refresh);
  for (const id of ["export-every", "export-format"]) byId(id).addEventListener("click", press);
  for (const button of document.querySelectorAll("[data-measures]")) button.addEventListener("click", pickMeasures);
  byId("export-copy").addEventListener("click", copy);
  byId("export-prepare").addEventListener("click", () => prepare(`${page.exportsUrl}?organization=${encodeURIComponent(page.organization)}`, exportBody()));
  byId("export-job-stop").addEventListener("click", stop);
}
