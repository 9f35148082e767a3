/** The lines and bars of a panel: one controller draws all series from their arrays, without an object for each value. */

import { css, fade } from "./colors.js";

const LINE = 1.75;
const LINE_BEFORE = 1.25;
const UNFINISHED = [2, 3];
const DOT = 2;
const WIDEST_BAR = 72;
const BETWEEN_BARS = 0.75;

function isMissing(value) {
  return value === null || value === undefined;
}

function shown(model) {
  return model.series.filter((series) => !series.hidden);
}

/** Pixels of each bucket, and what turns values into pixels: both axes are linear. */
function geometry(model, { x, y }) {
  const zero = y.getPixelForValue(0);
  const times = model.form === "line" ? model.axis.starts : model.axis.middles;
  return { places: times.map((time) => x.getPixelForValue(time)), zero, unit: y.getPixelForValue(1) - zero, width: x.width };
}

/** A line from one bucket to another, broken where a value is missing. */
function lineBetween(values, from, to, { places, zero, unit }) {
  const path = new Path2D();
  let isBroken = true;
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    const isGap = isMissing(value);
    if (!isGap && isBroken) path.moveTo(places[index], zero + value * unit);
    else if (!isGap) path.lineTo(places[index], zero + value * unit);
    isBroken = isGap;
  }
  return path;
}

/** Values between two gaps have no line: they get dots. Null when there is none. */
function dots(values, width, { places, zero, unit }) {
  const radius = DOT + width / 2;
  let path = null;
  values.forEach((value, index) => {
    if (isMissing(value) || !isMissing(values[index - 1]) || !isMissing(values[index + 1])) return;
    const [x, y] = [places[index], zero + value * unit];
    path ??= new Path2D();
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, Math.PI * 2);
  });
  return path;
}

function line({ paint, values }, { axis }, at) {
  const color = css(paint.name);
  const lines = [{ path: lineBetween(values, 0, axis.partial, at), color, width: LINE, dash: paint.dash }];
  if (axis.partial < values.length) lines.push({ path: lineBetween(values, Math.max(0, axis.partial - 1), values.length, at), color, width: LINE, dash: UNFINISHED });
  return [...lines, { path: dots(values, LINE, at), color }];
}

/** The same series in the period before: thin, dashed and pale, bucket below bucket. */
function before({ paint, previous }, at) {
  const color = css(paint.name);
  const path = lineBetween(previous, 0, previous.length, at);
  return [{ path, color: fade(color, 0.55), width: LINE_BEFORE, dash: [4, 4] }, { path: dots(previous, LINE_BEFORE, at), color }];
}

/** Earlier periods below, and of two series the first on top. */
function lines(model, at) {
  const series = shown(model).reverse();
  const earlier = series.filter((one) => one.previous).flatMap((one) => before(one, at));
  return [...earlier, ...series.flatMap((one) => line(one, model, at))];
}

function barWidth({ places, width }) {
  const nearest = places.reduce((least, place, index) => (index > 0 ? Math.min(least, place - places[index - 1]) : least), width);
  return Math.min(WIDEST_BAR, nearest * (places.length > 60 ? 0.9 : 0.82));
}

/** A series of bars on top of those below it, whose sums it raises: one path for the finished, one for the unfinished buckets. */
function bars({ paint, values }, { axis }, sums, at) {
  const { places, zero, unit } = at;
  const width = barWidth(at);
  const gap = places.length > 120 ? 0 : BETWEEN_BARS;
  const [finished, unfinished] = [new Path2D(), new Path2D()];
  for (let index = 0; index < places.length; index += 1) {
    const value = values[index] ?? 0;
    if (value === 0) continue;
    const bottom = zero + sums[index] * unit;
    sums[index] += value;
    const top = zero + sums[index] * unit;
    const below = bottom - top > 2 * gap ? top + gap : top;
    (index < axis.partial ? finished : unfinished).rect(places[index] - width / 2, below, width, bottom - below);
  }
  const color = css(paint.name);
  return axis.partial < places.length ? [{ path: finished, color }, { path: unfinished, color: fade(color, 0.45) }] : [{ path: finished, color }];
}

/** What lies between the sums below a series and those with it, from one bucket to another. */
function between(below, above, from, to, { places, zero, unit }) {
  const path = new Path2D();
  for (let index = from; index < to; index += 1) path.lineTo(places[index], zero + above[index] * unit);
  for (let index = to - 1; index >= from; index -= 1) path.lineTo(places[index], zero + below[index] * unit);
  path.closePath();
  return path;
}

/** A series as an area on those below it, whose sums it raises; paler on the way to the bucket that still fills. */
function area({ paint, values }, { axis }, sums, at) {
  const below = sums.slice();
  for (let index = 0; index < sums.length; index += 1) sums[index] += values[index] ?? 0;
  const color = css(paint.name);
  // Neighbours are told apart by more than their colours.
  const border = { path: lineBetween(sums, 0, sums.length, at), color: css("surface"), width: 1, dash: [] };
  const finished = { path: between(below, sums, 0, axis.partial, at), color };
  if (axis.partial >= sums.length) return [finished, border];
  return [finished, border, { path: between(below, sums, Math.max(0, axis.partial - 1), sums.length, at), color: fade(color, 0.45) }];
}

function stacked(model, at) {
  const sums = new Float64Array(at.places.length);
  // One bucket has no way to another: it is a bar in any form.
  const one = model.form === "area" && sums.length > 1 ? area : bars;
  return shown(model).flatMap((series) => one(series, model, sums, at));
}

function rangeOfLines(model) {
  const range = { min: Infinity, max: -Infinity };
  for (const { values, previous } of shown(model)) {
    for (const value of previous ? [...values, ...previous] : values) {
      if (isMissing(value)) continue;
      if (value < range.min) range.min = value;
      if (value > range.max) range.max = value;
    }
  }
  return range;
}

function rangeOfBars(model) {
  const sums = new Float64Array(model.axis.starts.length);
  for (const { values } of shown(model)) for (let index = 0; index < sums.length; index += 1) sums[index] += values[index] ?? 0;
  return { min: 0, max: sums.reduce((most, sum) => Math.max(most, sum), 0) };
}

/** Chart.js keeps axes, layout and plugins; its own controllers would make, style and draw an element for every value. */
class PanelSeries extends globalThis.Chart.DatasetController {
  static id = "portalSeries";
  // The registry asks for a type of element; as the data is an empty list, none is made.
  static defaults = { datasetElementType: false, dataElementType: "point" };

  get model() {
    return this.getDataset().model;
  }

  getMinMax() {
    return this.model.form === "line" ? rangeOfLines(this.model) : rangeOfBars(this.model);
  }

  buildOrUpdateElements() {}

  /** Work out the paths once for a size and a model: the crosshair draws them many times. */
  update() {
    const at = geometry(this.model, this.chart.scales);
    this.marks = this.model.form === "line" ? lines(this.model, at) : stacked(this.model, at);
  }

  draw() {
    const { ctx } = this.chart;
    ctx.lineJoin = "round";
    for (const { path, color, width, dash } of this.marks) {
      if (!path) continue;
      if (!width) {
        ctx.fillStyle = color;
        ctx.fill(path);
        continue;
      }
      ctx.strokeStyle = color;
      ctx.lineWidth = width;
      ctx.setLineDash(dash);
      ctx.stroke(path);
    }
  }
}

globalThis.Chart.register(PanelSeries);

/** What makes a chart draw a model; put another model into the dataset and update the chart for the next one. */
export function seriesConfig(model) {
  return { type: PanelSeries.id, data: { datasets: [{ model, data: [], clip: 4 }] } };
}
