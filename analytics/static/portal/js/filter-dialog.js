/** Adding and editing a filter: field, operator, values with search. */

import { byId, closable, h, replace } from "./dom.js";
import { arity, filterText } from "./filter-text.js";
import { moment } from "./format.js";
import { getJson } from "./load.js";
import { link, params } from "./state.js";

const LIMIT = 50;
const WORDS = { true: "yes", false: "no" };

let page = null;
let chooser = null;
let editing = null;

function fieldNow() {
  return page.data().choices.fields.find((field) => field.name === byId("filter-field").value);
}

function isNumber(field) {
  return field.type === "number" || field.type === "money";
}

function seen(iso) {
  return iso ? moment(Date.parse(iso), page.data().range.zone, "d LLL HH:mm") : "";
}

async function suggestions(name, query) {
  const search = new URLSearchParams({ q: query, limit: LIMIT, organization: page.organization });
  const answer = await getJson(`${page.valuesUrl}${encodeURIComponent(name)}/values?${search}`);
  return answer.results.map(({ value, label, last_seen: last }) => ({ value, label: label || value, seen: seen(last) }));
}

// tom-select builds its rows from HTML: everything from outside goes through its `escape`.
const render = {
  option: (row, escape) => `<div class="option"><span>${escape(row.label)}</span><span class="muted">${escape(row.seen ?? "")}</span></div>`,
  item: (row, escape) => `<div>${escape(row.label)}</div>`,
  option_create: (row, escape) => `<div class="create">Use “${escape(row.input)}”</div>`,
  no_results: () => '<div class="no-results">No value found</div>',
};

function makeChooser(field, operator, values) {
  chooser?.destroy();
  replace(byId("filter-values"));
  const choices = field.values ?? [];
  const isChoice = choices.length > 0;
  chooser = new globalThis.TomSelect("#filter-values", {
    valueField: "value",
    labelField: "label",
    searchField: ["label", "value"],
    options: [...new Set([...choices, ...values])].map((value) => ({ value, label: WORDS[value] ?? value })),
    items: values,
    create: !isChoice,
    persist: false,
    createOnBlur: true,
    maxItems: field.type !== "boolean" && ["eq", "ne", "in", "nin"].includes(operator) ? null : 1,
    maxOptions: LIMIT,
    placeholder: isChoice ? "Choose" : field.suggest ? "Search or type a value" : "Type a value",
    plugins: ["remove_button"],
    preload: field.suggest ? "focus" : false,
    shouldLoad: () => Boolean(field.suggest),
    load: (query, done) => suggestions(field.name, query).then(done, () => done()),
    render,
  });
}

function showInputs(values) {
  const field = fieldNow();
  const operator = byId("filter-operator").value;
  const needs = arity(operator);
  const asNumber = isNumber(field) && needs !== "many";
  byId("filter-values-field").hidden = needs === "none" || asNumber;
  byId("filter-numbers").hidden = needs === "none" || !asNumber;
  byId("filter-high-field").hidden = needs !== "two";
  [byId("filter-low").value, byId("filter-high").value] = [values[0] ?? "", values[1] ?? ""];
  makeChooser(field, operator, values);
}

function showFields(fields, chosen) {
  const groups = new Map();
  for (const { name, label, group = "Request" } of fields) {
    if (!groups.has(group)) groups.set(group, h("optgroup", { label: group }));
    groups.get(group).append(h("option", { value: name, selected: name === chosen }, label));
  }
  replace(byId("filter-field"), [...groups.values()]);
}

function showOperators(chosen) {
  replace(
    byId("filter-operator"),
    fieldNow().operators.map(({ op, label }) => h("option", { value: op, selected: op === chosen }, label)),
  );
}

function valuesNow() {
  if (!byId("filter-numbers").hidden) {
    const inputs = [byId("filter-low"), ...(byId("filter-high-field").hidden ? [] : [byId("filter-high")])];
    return inputs.map((input) => input.value.trim()).filter(Boolean);
  }
  return byId("filter-values-field").hidden ? [] : chooser.items.map(String);
}

function complaint(operator, values) {
  const needed = { none: 0, one: 1, many: 1, two: 2 }[arity(operator)];
  if (values.length < needed) return needed === 2 ? "Give both numbers." : "Give a value.";
  return arity(operator) === "two" && Number(values[0]) > Number(values[1]) ? "The first number must not be above the second." : "";
}

function apply(event) {
  event.preventDefault();
  const operator = byId("filter-operator").value;
  const values = valuesNow();
  byId("filter-error").textContent = complaint(operator, values);
  if (byId("filter-error").textContent) return;
  const text = filterText(byId("filter-field").value, operator, values);
  const filters = params().getAll("f").filter((other) => other !== editing && other !== text);
  byId("filter-dialog").close();
  page.go(link({ f: [...filters, text], iso: null }));
}

/** Open the dialog, for a new filter or for one of the page. */
export function openFilter(filter = null) {
  const { fields } = page.data().choices;
  editing = filter?.text ?? null;
  byId("filter-title").textContent = filter ? "Edit filter" : "Add filter";
  byId("filter-error").textContent = "";
  showFields(fields, filter?.field);
  showOperators(filter?.op);
  showInputs(filter?.values ?? []);
  byId("filter-dialog").showModal();
  byId(filter ? "filter-operator" : "filter-field").focus();
}

/** Wire the dialog. `dashboard` offers `data()`, `go(search)`, `organization` and `valuesUrl`. */
export function bindFilter(dashboard) {
  page = dashboard;
  closable(byId("filter-dialog"));
  byId("filter-form").addEventListener("submit", apply);
  byId("filter-field").addEventListener("change", () => {
    showOperators(null);
    showInputs([]);
  });
  byId("filter-operator").addEventListener("change", () => showInputs(valuesNow()));
  byId("filter-add").addEventListener("click", () => openFilter());
}
