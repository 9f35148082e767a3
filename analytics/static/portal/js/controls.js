/** Range, View by, interval, percentile: marks what is chosen and keeps every link's URL current. */

import { byId, h, replace } from "./dom.js";
import { moment } from "./format.js";
import { instant, link, linkToRange, params } from "./state.js";

function mark(element, isCurrent) {
  if (isCurrent) element.setAttribute("aria-current", "true");
  else element.removeAttribute("aria-current");
}

function each(name, visit) {
  for (const element of document.querySelectorAll(`[data-${name}]`)) visit(element, element.dataset[name]);
}

/** Show the range of an answer in its menu. */
export function renderRange(data) {
  document.querySelector("[data-range-label]").textContent = data.range.label;
  each("from", (element) => {
    const { from, to } = element.dataset;
    element.setAttribute("href", link({ from, to }));
    mark(element, from === data.state.from && to === data.state.to);
  });
  each("move", (element, move) => element.setAttribute("href", linkToRange(data.range, move)));
  const format = "yyyy-LL-dd'T'HH:mm";
  const zone = data.range.reporting ?? data.range.zone;
  byId("range-from").value = moment(Date.parse(data.range.start), zone, format);
  byId("range-to").value = moment(Date.parse(data.range.end), zone, format);
}

function coverageOf(key) {
  if (key?.coverage_text) return key.coverage_text;
  return typeof key?.coverage === "number" ? `${(key.coverage * 100).toFixed(0)} %` : "";
}

function renderViews(data) {
  const { by, key } = data.view;
  const fallback = data.choices.metadata_keys[0]?.name ?? null;
  each("by", (element, name) => {
    const changes = { by: name, key: name === "metadata" ? (key ?? fallback) : null, sort: null, iso: null };
    element.setAttribute("href", link(changes));
    mark(element, name === by);
  });
  byId("key-menu").hidden = by !== "metadata";
  document.querySelector("[data-key-label]").textContent = key ?? "choose";
  each("key", (element, name) => {
    element.setAttribute("href", link({ by: "metadata", key: name, sort: null, iso: null }));
    mark(element, name === key);
    element.querySelector("[data-coverage]").textContent = coverageOf(data.choices.metadata_keys.find((one) => one.name === name));
  });
}

/** What the series of the two charts of failures are. Isolated kinds of failure go with them, isolated groups stay. */
function renderFailures(data) {
  const iso = params().getAll("iso").filter((label) => data.groups.some((group) => group.label === label));
  each("failures", (element, value) => {
    element.setAttribute("href", link({ failures: value === "view" ? value : null, iso }));
    mark(element, value === data.state.failures);
    if (value === "view") element.textContent = data.view.key ?? data.view.label;
  });
  each("codes", (element, value) => {
    element.setAttribute("href", link({ codes: value === "class" ? value : null, iso }));
    mark(element, value === data.state.codes);
  });
}

function option(value, label, isSelected) {
  return h("option", { value, selected: isSelected }, label);
}

function renderSelects(data) {
  const form = document.querySelector("[data-auto-submit]");
  const auto = data.interval.auto ? `Auto (${data.interval.label})` : "Auto";
  replace(
    form.elements.interval,
    data.choices.intervals.map(({ name, label }) => option(name, name === "auto" ? auto : label, name === data.state.interval)),
  );
  form.elements.top.value = String(data.state.top);
  form.elements.compare.value = data.state.compare;
}

/** Parameters that draw charts in another form than their own, and in words what the way there and back does. */
const FORMS = {
  stack: { form: "bar", there: "Stack the series", back: "Draw lines" },
  area: { form: "area", there: "Draw areas", back: "Draw bars" },
};

/** The forms that the URL asks for, by chart: of those that offer it. */
export function chosenForms() {
  const chosen = new Map();
  for (const [name, { form }] of Object.entries(FORMS)) {
    const asked = params().getAll(name);
    each(name, (_, panel) => asked.includes(panel) && chosen.set(panel, form));
  }
  return chosen;
}

/** The links to the other form of each chart that has one. */
export function renderForms(chosen) {
  for (const [name, { there, back }] of Object.entries(FORMS)) {
    each(name, (element, panel) => {
      const others = params().getAll(name).filter((one) => one !== panel);
      element.setAttribute("href", link({ [name]: chosen.has(panel) ? others : [...others, panel] }));
      element.lastChild.textContent = chosen.has(panel) ? back : there;
    });
  }
}

/** Mark percentile and population; the links of both. */
export function renderPercentile(data, percentile) {
  for (const element of document.querySelectorAll("[data-own]")) {
    const name = `p_${element.closest("[data-panel]").dataset.panel}`;
    element.setAttribute("href", link({ [name]: element.dataset.own || null, iso: params().getAll("iso") }));
    mark(element, element.dataset.own === (params().get(name) ?? ""));
  }
  each("p", (element, value) => {
    element.setAttribute("href", link({ p: value }));
    mark(element, Number(value) === percentile);
  });
  each("pop", (element, value) => {
    element.setAttribute("href", link({ pop: value }));
    mark(element, value === data.state.pop);
  });
}

/** Show the state of an answer in all controls. */
export function renderControls(data) {
  renderRange(data);
  renderViews(data);
  renderSelects(data);
  renderFailures(data);
}

/** An input's local time in the reporting zone, as epoch milliseconds; NaN when it is not a time. */
function localTime(value, zone) {
  return globalThis.luxon.DateTime.fromISO(value, { zone }).toMillis();
}

/** Let the form of the range lead to URLs, and close the menus that were used. `page` offers `go(search)` and `data()`. */
export function bindRange(page) {
  byId("range-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { zone } = page.data().range;
    const start = localTime(byId("range-from").value, zone);
    const end = localTime(byId("range-to").value, zone);
    byId("range-error").textContent = start < end ? "" : "The end must be after the start.";
    if (!(start < end)) return;
    byId("range-menu").open = false;
    page.go(link({ from: instant(start), to: instant(end) }));
  });
  for (const menu of [byId("range-menu"), byId("key-menu")].filter(Boolean)) {
    menu.addEventListener("click", (event) => {
      if (event.target.closest("a")) menu.open = false;
    });
  }
}

/** Let the forms of the toolbar lead to URLs. */
export function bindControls(page) {
  bindRange(page);
  const form = document.querySelector("[data-auto-submit]");
  form.addEventListener("change", (event) => page.go(link({ [event.target.name]: event.target.value })));
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** The percentile that the URL asks for, of one chart or of all of them; else the server's choice. */
export function chosenPercentile(data, name = null) {
  const { percentiles } = data.choices;
  const asked = [name && params().get(`p_${name}`), params().get("p")].map(Number).find((one) => percentiles.includes(one));
  return asked ?? data.state.p;
}
