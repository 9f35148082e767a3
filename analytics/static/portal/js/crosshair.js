/** One instant in all panels: follows pointer and arrow keys, pins on click. */

import { say } from "./dom.js";
import { moveHairline } from "./hairline.js";
import { hideTooltip, inTooltip, showTooltip, spoken } from "./tooltip.js";

const charts = new Set();
const visible = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) visible.add(target);
    else visible.delete(target);
  }
});
let pinned = false;
let active = null;
let pressedAt = null;
let frame = 0;

function draw() {
  frame = 0;
  for (const chart of charts) {
    if (!visible.has(chart.canvas) || chart.portalIndex === active) continue;
    moveHairline(chart, active);
  }
}

function setActive(index) {
  if (index === active) return;
  active = index;
  if (!frame) frame = requestAnimationFrame(draw);
}

function nearest(chart, clientX) {
  const { left } = chart.canvas.getBoundingClientRect();
  const { axis, form } = chart.portalModel;
  const time = chart.scales.x.getValueForPixel(clientX - left);
  if (form !== "line") return Math.max(0, axis.starts.findLastIndex((start) => start <= time));
  const after = axis.starts.findIndex((start) => start >= time);
  if (after === -1) return axis.starts.length - 1;
  if (after === 0) return 0;
  return time - axis.starts[after - 1] < axis.starts[after] - time ? after - 1 : after;
}

function isInside(chart, event) {
  const { left, top } = chart.canvas.getBoundingClientRect();
  const { chartArea: area } = chart;
  const x = event.clientX - left;
  const y = event.clientY - top;
  return x >= area.left - 4 && x <= area.right + 4 && y >= area.top - 4 && y <= area.bottom + 4;
}

function onMove(chart, event) {
  if (pinned) return;
  if (event.buttons > 0 || !isInside(chart, event) || chart.portalModel.series.length === 0) {
    clear();
    return;
  }
  const index = nearest(chart, event.clientX);
  setActive(index);
  showTooltip(chart.portalModel, index, event.clientX, event.clientY, false);
}

function onClick(chart, event) {
  const moved = pressedAt === null ? 0 : Math.abs(event.clientX - pressedAt);
  if (moved > 6 || !isInside(chart, event) || chart.portalModel.series.length === 0) return;
  pinned = true;
  const index = nearest(chart, event.clientX);
  setActive(index);
  showTooltip(chart.portalModel, index, event.clientX, event.clientY, true);
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function onKey(chart, event) {
  const step = STEPS[event.key];
  const { axis } = chart.portalModel;
  if (step === undefined || axis.starts.length === 0) return;
  event.preventDefault();
  const from = active ?? (step < 0 ? axis.starts.length : -1);
  const index = Math.min(axis.starts.length - 1, Math.max(0, from + step));
  setActive(index);
  const { left, top, height } = chart.canvas.getBoundingClientRect();
  const positions = chart.portalModel.form === "line" ? axis.starts : axis.middles;
  showTooltip(chart.portalModel, index, left + chart.scales.x.getPixelForValue(positions[index]), top + height / 2, false);
  say(spoken(chart.portalModel, index));
}

/** Take the line and the box away, pinned or not. True when there was something to take away. */
export function clear() {
  const was = pinned || active !== null;
  pinned = false;
  setActive(null);
  hideTooltip();
  return was;
}

/** Let a chart take part. */
export function attach(chart) {
  const { canvas } = chart;
  charts.add(chart);
  observer.observe(canvas);
  canvas.addEventListener("pointermove", (event) => onMove(chart, event));
  canvas.addEventListener("pointerleave", () => pinned || clear());
  canvas.addEventListener("pointerdown", (event) => {
    pressedAt = event.clientX;
    clear();
  });
  canvas.addEventListener("click", (event) => onClick(chart, event));
  canvas.addEventListener("keydown", (event) => onKey(chart, event));
  canvas.addEventListener("blur", () => pinned || clear());
}

document.addEventListener("pointerdown", (event) => {
  if (pinned && !inTooltip(event.target)) clear();
});
document.addEventListener("portal:unpin", clear);
window.addEventListener("scroll", () => pinned || clear(), { passive: true });
