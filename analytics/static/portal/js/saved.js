/** Saved views: states of the page kept under a name, one's own or a team's. */

import { byId, h, icon, replace, say } from "./dom.js";
import { getJson, send } from "./load.js";
import { params } from "./state.js";

const KEPT = ["from", "to", "by", "key", "p", "p_latency", "p_ttft", "p_itl", "p_tpot", "pop", "top", "interval", "compare", "failures", "codes", "notes", "sort"];
/** What may be there several times. */
const LISTS = ["iso", "stack", "area"];

let page = null;
let views = [];

function address(path = "", query = {}) {
  return `${page.savedUrl}${path}?${new URLSearchParams({ ...query, organization: page.organization })}`;
}

function token() {
  return byId("views-form").querySelector("[name=csrfmiddlewaretoken]").value;
}

function showProblem(problem) {
  byId("views-error").textContent = problem ? `${problem.message}. ${problem.detail ?? ""}` : "";
}

/** The state of the page as a view keeps it. */
function stateNow() {
  const now = params();
  const content = Object.fromEntries(KEPT.filter((name) => now.has(name)).map((name) => [name, now.get(name)]));
  const lists = Object.fromEntries(LISTS.filter((name) => now.has(name)).map((name) => [name, now.getAll(name)]));
  return { ...content, ...lists, f: now.getAll("f") };
}

function searchOf(content) {
  const search = new URLSearchParams(Object.entries(content).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
  // The view is all there is to say: no default is meant.
  search.set("view", "none");
  return `?${search.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
}

async function attempt(act) {
  showProblem(null);
  try {
    await act();
  } catch (problem) {
    showProblem(problem);
  }
}

function open(view) {
  return attempt(async () => {
    const { content } = await getJson(address(`/${view.id}`));
    byId("views").open = false;
    page.go(searchOf(content));
    say(`${view.name}.`);
  });
}

function remove(view) {
  return attempt(async () => {
    await send("DELETE", address(`/${view.id}`), token());
    await list();
    byId("views-name").focus();
  });
}

/** A team's view is removed by who manages the team: the teams to save for. */
function mayRemove(view) {
  return view.team === null || [...byId("views-team").options].some((option) => option.value === view.team);
}

function entry(view) {
  return h(
    "div",
    { class: "views-entry" },
    h("button", { type: "button", on: { click: () => open(view) } }, h("span", { class: "ellipsis grow" }, view.name), view.team && h("span", { class: "muted ellipsis" }, view.team)),
    mayRemove(view) && h("button", { type: "button", class: "button small icon-only quiet", "aria-label": `Delete the view ${view.name}`, on: { click: () => remove(view) } }, icon("close")),
  );
}

function option(view, whom) {
  return h("option", { value: view.id, selected: view.default_for.includes(whom) }, view.team ? `${view.name} (${view.team})` : view.name);
}

/** Which view the dashboard opens with: one's own choice, and for administrators everybody's. */
function renderDefaults() {
  for (const select of document.querySelectorAll("[data-default-for]")) {
    replace(select, select.options[0], views.map((view) => option(view, select.dataset.defaultFor)));
  }
  byId("views-defaults").hidden = views.length === 0;
}

function choose(event) {
  const { value, dataset } = event.target;
  const before = views.find((view) => view.default_for.includes(dataset.defaultFor));
  return attempt(async () => {
    if (value) await send("PUT", address(`/${value}/default/${dataset.defaultFor}`), token());
    else if (before) await send("DELETE", address(`/${before.id}/default/${dataset.defaultFor}`), token());
    await list();
    say("Saved.");
  });
}

async function list() {
  const { results } = await getJson(address("", { kind: "dashboard" }));
  views = results;
  replace(byId("views-found"), views.map(entry));
  byId("views-none").hidden = views.length > 0;
  renderDefaults();
}

/** Under a name that is there already the view becomes this page. */
function save(event) {
  event.preventDefault();
  return attempt(async () => {
    const name = byId("views-name").value.trim();
    const team = byId("views-team").value || null;
    const body = { name, kind: "dashboard", content: stateNow() };
    const same = views.find((view) => view.name === name && view.team === team);
    if (same) await send("PUT", address(`/${same.id}`), token(), body);
    else await send("POST", address(), token(), { ...body, team });
    byId("views-name").value = "";
    await list();
    say("Saved.");
  });
}

/** Let the menu work. `dashboard` offers `organization`, `savedUrl` and `go(search)`. */
export function bindViews(dashboard) {
  page = dashboard;
  byId("views").addEventListener("toggle", () => byId("views").open && attempt(list));
  byId("views-form").addEventListener("submit", save);
  for (const select of document.querySelectorAll("[data-default-for]")) select.addEventListener("change", choose);
}
