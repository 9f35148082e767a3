/** Drawing: one Chart.js object per panel, made once and updated. */

import { aboveMarks } from "./above.js";
import { css, fade } from "./colors.js";
import { moment, tick } from "./format.js";
import { noteLines } from "./notes.js";
import { roundTimes } from "./ticks.js";

const Y_WIDTH = 52;
const FONT = getComputedStyle(document.body).fontFamily;

function line(series, model) {
  const color = css(series.paint.name);
  const { starts, partial } = model.axis;
  return {
    label: series.label,
    hidden: series.hidden,
    data: series.values.map((value, index) => ({ x: starts[index], y: value })),
    borderColor: color,
    backgroundColor: color,
    borderWidth: 1.75,
    borderDash: series.paint.dash,
    borderJoinStyle: "round",
    pointRadius: dots(series.values),
    pointHitRadius: 0,
    clip: 4,
    spanGaps: false,
    segment: partial < starts.length ? { borderDash: (context) => (context.p1DataIndex >= partial ? [2, 3] : undefined) } : undefined,
  };
}

/** The same series in the period before: thin, dashed and pale, bucket below bucket. */
function before(series, model) {
  const values = series.previous;
  return { ...line({ ...series, values }, model), borderColor: fade(css(series.paint.name), 0.55), borderWidth: 1.25, borderDash: [4, 4], segment: undefined };
}

/** Radius of every point: a value between two gaps has no line, so it gets a dot. One number when there is none: that is faster. */
function dots(values) {
  const missing = (value) => value === null || value === undefined;
  const radii = values.map((value, index) => (!missing(value) && missing(values[index - 1]) && missing(values[index + 1]) ? 2 : 0));
  return radii.includes(2) ? radii : 0;
}

/** The bars of a series from one bucket to another. One colour for all of them: Chart.js then works out one style, not one per bar. */
function barsBetween(series, model, from, to, color) {
  const { middles } = model.axis;
  return {
    label: series.label,
    hidden: series.hidden,
    stack: "all",
    // One stack stands in its bucket: without groups Chart.js need not count stacks anew for every bar.
    grouped: false,
    data: middles.slice(from, to).map((x, index) => ({ x, y: series.values[from + index] ?? 0 })),
    backgroundColor: color,
    barPercentage: 1,
    categoryPercentage: middles.length > 60 ? 0.9 : 0.82,
    maxBarThickness: 72,
    borderColor: css("surface"),
    borderWidth: { top: middles.length > 120 ? 0 : 0.75 },
    borderSkipped: false,
  };
}

/** Finished buckets, and pale the unfinished ones. */
function bars(series, model) {
  const color = css(series.paint.name);
  const { middles, partial } = model.axis;
  const finished = barsBetween(series, model, 0, partial, color);
  return partial < middles.length ? [finished, barsBetween(series, model, partial, middles.length, fade(color, 0.45))] : [finished];
}

function datasets(model) {
  if (model.form !== "line") return model.series.flatMap((series) => bars(series, model));
  const compared = model.series.filter((series) => series.previous);
  return [...model.series.map((series) => line(series, model)), ...compared.map((series) => before(series, model))];
}

/** Hours within a day, the date at midnight. */
function timeLabel(value, zone) {
  const hour = moment(value, zone, "HH:mm");
  return hour === "00:00" ? moment(value, zone, "d LLL") : hour;
}

function scales(model) {
  const text = { color: css("text-3"), font: { family: FONT, size: 11 } };
  const { axis } = model;
  return {
    x: {
      type: "time",
      // Ticks are ours (afterBuildTicks): a given unit and no labels keep Chart.js from searching for its own, which is slow.
      time: { unit: "hour" },
      min: axis.min,
      max: axis.max,
      adapters: { date: { zone: axis.zone, locale: "en" } },
      stacked: model.form !== "line",
      offset: false,
      border: { color: css("border") },
      grid: { display: false },
      afterBuildTicks: (scale) => {
        scale.ticks = roundTimes(axis.min, axis.max, axis.zone, scale.chart.width - Y_WIDTH).map((value) => ({ value }));
      },
      ticks: { ...text, source: "labels", maxRotation: 0, autoSkip: false, padding: 4, callback: (value) => timeLabel(value, axis.zone) },
    },
    y: {
      beginAtZero: true,
      max: model.above?.top,
      stacked: model.form !== "line",
      suggestedMax: model.unit === "share" ? 0.01 : undefined,
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
    parsing: false,
    normalized: true,
    events: [],
    layout: { padding: { top: 6, right: 6 } },
    scales: scales(model),
    plugins: {
      legend: { display: false },
      tooltip: { enabled: false },
      annotation: { annotations: { ...unfinished(model), ...noteLines(model, FONT) } },
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

/** Vertical line and points at the instant under the pointer; `chart.portalIndex` is the bucket. */
const crosshair = {
  id: "portalCrosshair",
  afterDatasetsDraw(chart) {
    const { portalIndex: index, portalModel: model } = chart;
    if (index === null || index === undefined || !model) return;
    const positions = model.form === "line" ? model.axis.starts : model.axis.middles;
    const x = chart.scales.x.getPixelForValue(positions[index]);
    const { top, bottom } = chart.chartArea;
    const { ctx } = chart;
    ctx.save();
    ctx.strokeStyle = css("crosshair");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(Math.round(x) + 0.5, top);
    ctx.lineTo(Math.round(x) + 0.5, bottom);
    ctx.stroke();
    if (model.form === "line") points(chart, model, index, x);
    ctx.restore();
  },
};

function points(chart, model, index, x) {
  const { ctx } = chart;
  for (const series of model.series) {
    const value = series.values[index];
    if (series.hidden || value === null || value === undefined || value > chart.scales.y.max) continue;
    ctx.beginPath();
    ctx.arc(x, chart.scales.y.getPixelForValue(value), 3.2, 0, Math.PI * 2);
    ctx.fillStyle = css(series.paint.name);
    ctx.strokeStyle = css("surface");
    ctx.lineWidth = 1.5;
    ctx.fill();
    ctx.stroke();
  }
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
    type: model.form === "line" ? "line" : "bar",
    data: { datasets: datasets(model) },
    options: options(model, dragged),
    plugins: [aboveMarks, crosshair],
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
  // The objects of before, filled anew: for others Chart.js would make every point and bar again.
  const before = chart.data.datasets;
  chart.data.datasets = datasets(model).map((one, index) => Object.assign(before[index] ?? {}, one));
  chart.options = options(model, chart.portalDragged);
  chart.update("none");
}
