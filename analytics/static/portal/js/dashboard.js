/** The dashboard: takes the answer embedded in the page, and asks for another when the URL changes. */

import { bindNotes, renderNotes } from "./annotations.js";
import { renderBreakdown } from "./breakdown.js";
import { renderChips } from "./chips.js";
import { forget } from "./colors.js";
import { bindControls, chosenForms, chosenPercentile, renderControls, renderForms, renderPercentile } from "./controls.js";
import { renderCounters, renderTrust } from "./counters.js";
import { clear } from "./crosshair.js";
import { bindCurl } from "./curl.js";
import { byId, copyText, say } from "./dom.js";
import { bindExport, openExport } from "./export.js";
import { bindFilter, openFilter } from "./filter-dialog.js";
import { isolate } from "./legend.js";
import { latestOnly } from "./load.js";
import { makePanels } from "./panels.js";
import { bindRefresh, renderRefresh } from "./refresh.js";
import { bindViews } from "./saved.js";
import { bindShortcuts } from "./shortcuts.js";
import { link, params, question, sameButIsolated, sameQuestion } from "./state.js";
import { clearFailure, renderFailure, renderMessages, renderState } from "./states.js";
import { bindZoom, kept, renderZoom, zoomed } from "./zoom.js";
import { inLabelZone, renderZone } from "./zone.js";

const root = byId("dashboard");
const ask = latestOnly();
let data = JSON.parse(byId("dashboard-data").textContent);
let answered = question(location.search);

const page = {
  organization: root.dataset.organization,
  reportUrl: root.dataset.reportUrl,
  exportsUrl: root.dataset.exportsUrl,
  savedUrl: root.dataset.savedUrl,
  annotationsUrl: root.dataset.annotationsUrl,
  valuesUrl: root.dataset.valuesUrl,
  data: () => data,
  go,
  onIsolate,
  refresh: () => load(true),
  addFilter: () => openFilter(),
  export: openExport,
  escape,
};
// Where charts lead to is a range dragged on them.
const panels = makePanels({ ...page, go: (search) => go(search, zoomed()) });

function isolatedNow() {
  return new Set(params().getAll("iso"));
}

/** What depends on the URL but not on the answer. */
function renderShown() {
  const percentile = chosenPercentile(data);
  const isolated = isolatedNow();
  const forms = chosenForms();
  const shown = inLabelZone(data);
  renderControls(shown);
  renderZone(shown);
  renderZoom();
  renderPercentile(data, percentile);
  renderForms(forms);
  renderRefresh();
  renderChips(data, isolated, openFilter);
  renderNotes(data);
  root.dataset.ready = "false";
  const drawn = data.problem || data.empty ? Promise.resolve(true) : panels.show(shown, (name) => chosenPercentile(data, name), isolated, forms);
  drawn.then((isComplete) => {
    if (isComplete) root.dataset.ready = "true";
  });
}

function render() {
  // A page that began with a refusal has no panels in its markup: they come with the whole page.
  if (data.panels.length > 0 && !document.querySelector("[data-panel]")) {
    location.reload();
    return;
  }
  renderState(inLabelZone(data));
  renderMessages(data.messages ?? []);
  // A new page has its figures from the server, and waits for charts. Later the figures ask where their table was scrolled
  // to: after the charts' words changed, the browser would have to lay out the page for the answer.
  const isNew = root.dataset.ready === undefined;
  if (!isNew) renderFigures();
  renderShown();
  if (isNew) renderFigures();
}

function renderFigures() {
  if (data.problem || data.empty) return;
  const shown = inLabelZone(data);
  // First, because it asks where the old table was scrolled to: after other changes the browser would have to lay them out for the answer.
  renderBreakdown(shown);
  renderCounters(shown);
  renderTrust(shown);
}

function setLoading(isLoading) {
  root.classList.toggle("is-loading", isLoading);
  root.setAttribute("aria-busy", String(isLoading));
}

/** Ask for the URL's data, unless they are shown already. */
async function load(always) {
  const search = location.search;
  if (!always && sameQuestion(search, answered)) {
    renderShown();
    // Their links keep what the address says now.
    renderFigures();
    return;
  }
  // Isolated series are shown at once; the charts of failures, which have series of their own, follow.
  const isQuiet = !always && sameButIsolated(search, answered);
  root.classList.toggle("is-quiet", isQuiet);
  if (isQuiet) renderShown();
  setLoading(true);
  try {
    data = await ask(`${root.dataset.dataUrl}?${question(search)}`);
    answered = question(search);
    clearFailure();
    render();
    document.title = document.title.replace(/^.*? · /, `${data.view.label}, ${data.range.label} · `);
    setLoading(false);
  } catch (error) {
    if (error.name === "AbortError") return;
    setLoading(false);
    renderFailure(error, () => load(true));
  }
}

/** Go to another state of the page: URL first, then data. `state` is kept with the entry of the history. */
function go(search, state = kept(search)) {
  if (search === location.search) return;
  // Where a view opens the page without parameters, the plain page has to be asked for.
  const plain = root.dataset.opensWithView ? "?view=none" : location.pathname;
  history.pushState(state, "", search === "?" ? plain : search);
  load(false);
}

function onIsolate(label, labels, toggle) {
  const next = label === null ? new Set() : isolate(isolatedNow(), label, labels, toggle);
  go(link({ iso: [...next] }));
}

function escape() {
  if (!clear() && params().has("iso")) go(link({ iso: null }));
}

function onClick(event) {
  const anchor = event.target.closest("a[data-go]");
  if (!anchor || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  anchor.closest("[data-panel] details.menu")?.removeAttribute("open");
  clear();
  go(anchor.search || "?");
}

/** Copy the page's address: as it is, or with the range pinned to the instants shown now. */
async function copyLink(event) {
  const pinned = link({ from: data.range.start, to: data.range.end, iso: params().getAll("iso") });
  const search = event.currentTarget.dataset.copyLink === "pinned" ? pinned : location.search;
  const menu = event.currentTarget.closest("details");
  const label = menu.querySelector("[data-copy-label]");
  menu.open = false;
  label.textContent = (await copyText(`${location.origin}${location.pathname}${search}`)) ? "Copied" : "Not allowed";
  say(label.textContent);
  setTimeout(() => {
    label.textContent = "Copy link";
  }, 1500);
}

function onTheme() {
  forget();
  renderShown();
}

document.addEventListener("click", onClick);
document.addEventListener("portal:theme", onTheme);
// Paper is light, whatever the theme: charts are drawn once more for it, and for the screen afterwards.
window.matchMedia("print").addEventListener("change", onTheme);
window.addEventListener("popstate", () => load(false));
for (const button of document.querySelectorAll("[data-copy-link]")) button.addEventListener("click", copyLink);
bindControls(page);
bindFilter(page);
bindExport(page);
bindCurl();
bindRefresh(page);
bindShortcuts(page);
bindViews(page);
bindNotes(page);
bindZoom(go);
render();
