/** Times at which a time axis has labels: round hours and days of the reporting zone, as many as fit. */

import { moment } from "./format.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map((count) => [count * MINUTE, { minutes: count }]).concat(
  [1, 2, 3, 6, 12].map((count) => [count * HOUR, { hours: count }]),
  [1, 2, 7].map((count) => [count * DAY, { days: count }]),
  [1, 3, 6, 12].map((count) => [count * 30 * DAY, { months: count }]),
);
const SPACE = 62;

// All panels of an answer have one axis: its instants are worked out once for each width.
const known = new WeakMap();

/** Hours within a day, the date at midnight. */
function words(value, zone) {
  const hour = moment(value, zone, "HH:mm");
  return hour === "00:00" ? moment(value, zone, "d LLL") : hour;
}

function namedTimes({ min, max, zone }, width) {
  return roundTimes(min, max, zone, width).map((value) => ({ value, words: words(value, zone) }));
}

/** Ticks for an axis of a model: value and words. Objects of their own for each chart, as Chart.js writes into them. */
export function timeTicks(axis, width) {
  if (!known.has(axis)) known.set(axis, new Map());
  const widths = known.get(axis);
  if (!widths.has(width)) widths.set(width, namedTimes(axis, width));
  return widths.get(width).map((tick) => ({ ...tick }));
}

/** Round instants between `min` and `max` (epoch milliseconds), at most one for each 62 px of `width`. */
export function roundTimes(min, max, zone, width) {
  const most = Math.max(2, Math.floor(width / SPACE));
  const [length, step] = STEPS.find(([size]) => (max - min) / size <= most) ?? STEPS.at(-1);
  const unit = unitOf(step);
  const times = [];
  // Counting starts over with each unit: after a clock change hours stay round, and so do days after a short month.
  for (let start = globalThis.luxon.DateTime.fromMillis(min, { zone }).startOf(unit); start.toMillis() <= max; start = next(start, unit)) {
    times.push(...within(start, next(start, unit), step));
  }
  // Where counting starts over, the last time before may be too near: the 31st and the 1st.
  return times.filter((time, index) => time >= min && time <= max && !(times[index + 1] - time < length * 0.6));
}

function unitOf(step) {
  if (step.months) return "year";
  if (step.days) return step.days === 7 ? "week" : "month";
  return "day";
}

function next(start, unit) {
  return start.plus({ [unit]: 1 }).startOf(unit);
}

function within(start, end, step) {
  const [[unit, size]] = Object.entries(step);
  const times = [];
  let time = start;
  for (let count = 1; time < end; count += 1) {
    times.push(time.toMillis());
    time = start.plus({ [unit]: size * count });
  }
  return times;
}
