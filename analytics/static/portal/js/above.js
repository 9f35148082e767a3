/** A line far above all others: requests that failed before they had a model are "(none)", and all of them failed. */

import { css } from "./colors.js";

const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
/** An axis is cut where it would leave the others less than half of its height. */
const FAR = 2;
const LEAST = 0.01;
const FONT = getComputedStyle(document.body).fontFamily;

function largest(lists) {
  return lists.flat().reduce((most, value) => (value > most ? value : most), 0);
}

/** The next round number that leaves some room above the value. */
function roundAbove(value) {
  const wanted = value * 1.1;
  const size = 10 ** Math.floor(Math.log10(wanted));
  return STEPS.find((step) => step * size >= wanted * 0.9999) * size;
}

/** Where the axis of a chart of rates ends so that the other lines can be read, and of what it leaves out; null: nowhere. */
export function aboveAxis(series, unit, form) {
  if (unit !== "share" || form !== "line") return null;
  const shown = series.filter((one) => !one.hidden && one.isGroup);
  const none = shown.find((one) => one.kind === "none");
  const others = [...shown.filter((one) => one !== none), ...series.filter((one) => one.isEveryone)];
  if (!none || others.length === 0) return null;
  const top = roundAbove(Math.max(LEAST, largest(others.flatMap((one) => [one.values, one.previous ?? []]))));
  const highest = largest([none.values]);
  return highest >= top * FAR ? { top, series: none } : null;
}

/** What the panel says about it. */
export function aboveWords(above, write) {
  if (!above) return "";
  const { label, range_text: whole, values } = above.series;
  const most = write(largest([values]));
  return ` · ${label} (${whole === most ? whole : `${whole}, up to ${most}`}) goes above this axis: choose it in the legend to see it whole`;
}

/** Runs of neighbouring buckets in which the line is above the axis: pairs of first and last index. */
function runs(values, top) {
  const found = [];
  values.forEach((value, index) => {
    if (!(value > top)) return;
    if (found.length > 0 && found.at(-1)[1] === index - 1) found.at(-1)[1] = index;
    else found.push([index, index]);
  });
  return found;
}

function triangle(context, x, y) {
  context.beginPath();
  context.moveTo(x - 4, y + 6);
  context.lineTo(x, y);
  context.lineTo(x + 4, y + 6);
  context.fill();
}

function words(chart, label) {
  const { ctx, chartArea } = chart;
  ctx.font = `11px ${FONT}`;
  const width = ctx.measureText(label).width;
  ctx.fillStyle = css("surface");
  // Below the signs of annotations, which stand at the upper edge.
  const top = chartArea.top + (chart.portalModel.notes.length > 0 ? 22 : 8);
  ctx.fillRect(chartArea.right - width - 8, top, width + 8, 16);
  ctx.fillStyle = css("text-2");
  ctx.fillText(label, chartArea.right - width - 4, top + 12);
}

/** Marks at the upper edge where the line is, and its name: they go into pictures of the chart too. */
export const aboveMarks = {
  id: "portalAbove",
  afterDatasetsDraw(chart) {
    const { above, axis } = chart.portalModel ?? {};
    if (!above) return;
    const { ctx, chartArea, scales } = chart;
    const place = (index) => scales.x.getPixelForValue(axis.starts[index]);
    ctx.save();
    ctx.fillStyle = css(above.series.paint.name);
    for (const [first, last] of runs(above.series.values, above.top)) {
      const [left, right] = [place(first), place(last)];
      ctx.fillRect(left - 2, chartArea.top, right - left + 4, 2);
      triangle(ctx, (left + right) / 2, chartArea.top);
    }
    words(chart, `↑ ${above.series.label} is above`);
    ctx.restore();
  },
};
