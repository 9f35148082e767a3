/** The crosshair of one chart: drawn over a picture of the chart, so that moving it draws no series anew. */

import { css } from "./colors.js";
import { h } from "./dom.js";

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

function draw(chart) {
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
}

function pictureOf({ canvas }) {
  const picture = h("canvas", { width: canvas.width, height: canvas.height });
  picture.getContext("2d").drawImage(canvas, 0, 0);
  return picture;
}

/** Vertical line and points at the instant under the pointer; `chart.portalIndex` is the bucket. */
export const hairline = {
  id: "portalHairline",
  beforeDraw(chart) {
    chart.portalPicture = null;
  },
  afterDatasetsDraw: draw,
};

/** Move the crosshair of a chart to a bucket; null takes it away. */
export function moveHairline(chart, index) {
  if (!chart.portalPicture) {
    chart.portalIndex = null;
    chart.draw();
    chart.portalPicture = pictureOf(chart);
  }
  chart.portalIndex = index;
  const { ctx, canvas, portalPicture: picture } = chart;
  ctx.save();
  ctx.resetTransform();
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(picture, 0, 0);
  ctx.restore();
  draw(chart);
  // It takes as much memory as the chart's own canvas: kept only while the crosshair is there.
  if (index === null) chart.portalPicture = null;
}
