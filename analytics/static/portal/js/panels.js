/** The eleven panels: heads, charts, legends, tables and the menu of each. */

import { createChart, updateChart } from "./charts.js";
import { css } from "./colors.js";
import { attach, clear } from "./crosshair.js";
import { bodyOf, showCurl } from "./curl.js";
import { copyText, download, h, replace, say, write } from "./dom.js";
import { renderLegend } from "./legend.js";
import { LongLegend } from "./long-legend.js";
import { hasValues, panelModels, sentence } from "./model.js";
import { panelCsv, panelTabs, renderTable } from "./panel-table.js";
import { linkBetween } from "./state.js";

const idle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));

function emptyWords(model) {
  if (model.unit === "usd" && model.series.length > 0) return "Nothing in this range has a price";
  if (model.name.startsWith("failure")) return "No failures in this range";
  return model.form === "line" ? "No samples in this range" : "None in this range";
}

class Panel {
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.chart = null;
    this.model = null;
    this.longLegend = new LongLegend(this.find("long-legend"), this.find("legend"), page.onIsolate);
    for (const button of element.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.act(button.dataset.act));
    }
  }

  find(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  show(model, data) {
    this.model = model;
    this.longLegend.show(model);
    this.find("title").textContent = model.title;
    this.element.querySelector("details.menu > summary").setAttribute("aria-label", `Menu of ${model.title}`);
    this.find("headline").textContent = model.headline;
    this.find("note").textContent = model.note;
    this.find("definition").textContent = model.definition;
    this.find("empty").hidden = hasValues(model);
    replace(this.find("empty"), h("span", {}, emptyWords(model)));
    this.element.querySelector("canvas").setAttribute("aria-label", sentence(model, data));
    renderLegend(this.find("legend"), model, this.page.onIsolate);
    if (this.isTableShown()) renderTable(this.find("table"), model);
  }

  draw(model) {
    if (this.chart) {
      updateChart(this.chart, model);
      return;
    }
    const canvas = this.element.querySelector("canvas");
    this.chart = createChart(canvas, model, (start, end) => this.page.go(linkBetween(start, end)));
    attach(this.chart);
  }

  fillHiddenTable() {
    const { model } = this;
    if (!this.isTableShown()) idle(() => this.model === model && renderTable(this.find("table"), model));
  }

  isTableShown() {
    return this.find("table").classList.contains("is-shown");
  }

  act(name) {
    this.element.querySelector("details.menu").open = false;
    const act = { table: "toggleTable", legend: "toggleLegend", expand: "expand", explain: "explain", copy: "copy", csv: "csv", png: "png", curl: "curl" }[name];
    this[act]();
  }

  toggleTable() {
    const table = this.find("table");
    const isShown = table.classList.toggle("is-shown");
    this.element.querySelector('[data-act="table"]').lastChild.textContent = isShown ? "Hide table" : "Show table";
    // A table that is seen scrolls by keys; a hidden one is no stop on the way through the page.
    table.tabIndex = isShown ? 0 : -1;
    if (isShown) renderTable(table, this.model);
    if (isShown) table.focus();
  }

  expand() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen();
  }

  explain() {
    const definition = this.find("definition");
    definition.hidden = !definition.hidden;
  }

  toggleLegend() {
    this.longLegend.toggle();
    this.element.querySelector('[data-act="legend"]').lastChild.textContent = this.longLegend.isShown ? "Short legend" : "Legend with last and max";
  }

  async copy() {
    say((await copyText(panelTabs(this.model))) ? "Copied." : "The browser did not allow copying.");
  }

  csv() {
    download(new Blob([panelCsv(this.model)], { type: "text/csv" }), `${this.fileName()}.csv`);
  }

  curl() {
    showCurl(this.model.title, bodyOf(this.page.data().questions, this.model.name, this.model.percentile));
  }

  png() {
    const { canvas } = this.chart;
    clear();
    const copy = h("canvas", { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d");
    context.fillStyle = css("surface");
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(canvas, 0, 0);
    copy.toBlob((blob) => download(blob, `${this.fileName()}.png`));
  }

  fileName() {
    const { range } = this.model;
    return [this.model.name, this.page.organization, range.start.slice(0, 10), range.end.slice(0, 10)].join("_");
  }
}

function isNearView(panel) {
  const { top, bottom } = panel.element.getBoundingClientRect();
  return bottom > -200 && top < window.innerHeight + 200;
}

function safely(panel, step) {
  try {
    step();
  } catch (error) {
    console.error(error);
    panel.find("empty").hidden = false;
    replace(panel.find("empty"), h("span", {}, "This chart could not be drawn"));
  }
}

// Paper does not wait: what is not drawn at once is not on it.
const paper = window.matchMedia("print");
// Milliseconds of drawing between rests: with the last step it stays below the 50 that a person may notice.
const SLICE = 25;

/** What must be done for an answer, in its order. Charts before words: each change of the page would make the next chart wait for styles. */
function steps(pairs, data) {
  const near = pairs.filter(([panel]) => isNearView(panel));
  const later = pairs.filter((pair) => !near.includes(pair));
  const charts = (some) => some.map(([panel, model]) => () => safely(panel, () => panel.draw(model)));
  const words = (some) => some.map(([panel, model]) => () => safely(panel, () => panel.show(model, data)));
  return [...charts(near), ...words(near), ...charts(later), ...words(later)];
}

/** Let the browser paint and answer the person. */
const rest = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done, 0));

/** All panels of the page. `page` offers `data()`, `go(search)`, `onIsolate(label, labels, toggle)` and `organization`. */
export function makePanels(page) {
  const panels = new Map([...document.querySelectorAll("[data-panel]")].map((element) => [element.dataset.panel, new Panel(element, page)]));
  let turn = 0;
  return {
    /** Show an answer, panels in view first; a panel that fails says so and leaves the others alone. False when another answer came in between. */
    async show(data, percentile, isolated, forms) {
      turn += 1;
      const mine = turn;
      clear();
      if (data.buckets.starts.length === 0) return true;
      const pairs = panelModels(data, percentile, isolated, forms).filter(({ name }) => panels.has(name)).map((model) => [panels.get(model.name), model]);
      let since = performance.now();
      for (const step of steps(pairs, data)) {
        step();
        if (paper.matches || performance.now() - since < SLICE) continue;
        await rest();
        if (mine !== turn) return false;
        since = performance.now();
      }
      // Hidden tables are for screen readers: they can wait until everything is painted.
      for (const [panel] of pairs) panel.fillHiddenTable();
      return true;
    },
  };
}
