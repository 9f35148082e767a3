/** Drawing: one Chart.js object per panel, made once and updated. */

import { aboveMarks } from "./above.js";
import { budgetLines, budgetTop } from "./budgets.js";
import { css, fade } from "./colors.js";
import { tick } from "./format.js";
import { hairline } from "./hairline.js";
import { noteLines } from "./notes.js";
import { seriesConfig } from "./series.js";
import { timeTicks } from "./ticks.js";

const Y_WIDTH = 52;
const FONT = getComputedStyle(document.body).fontFamily;
// Legend and box of values are ours; the others would look at every dataset and find nothing to do.
const WITHOUT = { colors: false, decimation: false, filler: false, legend: false, subtitle: false, title: false, tooltip: false };

function scales(model) {
  const text = { color: css("text-3"), font: { family: FONT, size: 11 } };
  const { axis } = model;
  return {
    x: {
      // Instants on a linear axis: the ticks are ours, so that Chart.js need neither read nor write dates.
      type: "linear",
      bounds: "data",
      min: axis.min,
      max: axis.max,
      border: { color: css("border") },
      grid: { display: false },
      afterBuildTicks: (scale) => {
        scale.ticks = timeTicks(axis, scale.chart.width - Y_WIDTH);
      },
      ticks: { ...text, maxRotation: 0, autoSkip: false, padding: 4, callback: (value, index, ticks) => ticks[index].words },
    },
    y: {
      type: "linear",
      beginAtZero: true,
      max: model.above?.top,
      suggestedMax: model.unit === "share" ? 0.01 : budgetTop(model),
      border: { display: false },
      grid: { color: css("grid"), drawTicks: false },
      afterFit: (scale) => {
        // The same width in every panel, so that equal instants stand below each other.
        scale.width = Y_WIDTH;
      },
      ticks: { ...text, padding: 8, maxTicksLimit: 5, precision: model.unit === "count" ? 0 : undefined, callback: (value) => tick(value, model.unit) },
    },
  };
}

function unfinished(model) {
  const { axis } = model;
  if (axis.partial >= axis.starts.length) return {};
  return {
    partial: { type: "box", xMin: axis.starts[axis.partial], xMax: axis.max, backgroundColor: css("shade"), borderWidth: 0, drawTime: "beforeDatasetsDraw" },
  };
}

function options(model, onRange) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    events: [],
    layout: { padding: { top: 6, right: 6 } },
    scales: scales(model),
    plugins: {
      ...WITHOUT,
      annotation: { annotations: { ...unfinished(model), ...noteLines(model, FONT), ...budgetLines(model, FONT) } },
      zoom: {
        zoom: {
          mode: "x",
          drag: { enabled: true, threshold: 8, backgroundColor: fade(css("accent"), 0.14), borderColor: css("accent"), borderWidth: 1 },
          onZoomComplete: ({ chart }) => onRange(chart),
        },
      },
    },
  };
}

/** Draw a model on a canvas for the first time. `onRange(start, end)` is called when a range is dragged. */
export function createChart(canvas, model, onRange) {
  const dragged = (chart) => {
    const { min, max } = chart.scales.x;
    const { axis } = chart.portalModel;
    if (min <= axis.min && max >= axis.max) return;
    onRange(Math.floor(min / 60_000) * 60_000, Math.ceil(max / 60_000) * 60_000);
  };
  const chart = new globalThis.Chart(canvas, {
    ...seriesConfig(model),
    options: options(model, dragged),
    plugins: [aboveMarks, hairline],
  });
  chart.portalModel = model;
  chart.portalDragged = dragged;
  // The first drawing came before the chart knew its model.
  if (model.above) chart.draw();
  return chart;
}

/** Draw another model with the same chart object. */
export function updateChart(chart, model) {
  chart.portalModel = model;
  chart.portalIndex = null;
  chart.data.datasets[0].model = model;
  chart.options = options(model, chart.portalDragged);
  chart.update("none");
}
