/** Numbers and times for charts, by unit. Texts of counters and tables come from the server. */

const LOCALE = "en";
const EMPTY = "–";
const SCALES = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

// Making a formatter takes a hundred times as long as using it, and a page writes thousands of numbers.
const formatters = new Map();

function formatted(value, name, digits) {
  const key = `${name}${digits}`;
  if (!formatters.has(key)) {
    const options = name === "decimals" ? { minimumFractionDigits: digits, maximumFractionDigits: digits } : { maximumSignificantDigits: digits };
    formatters.set(key, new Intl.NumberFormat(LOCALE, options));
  }
  return formatters.get(key).format(value);
}

function decimals(value, digits) {
  return formatted(value, "decimals", digits);
}

function significant(value, digits) {
  return formatted(value, "significant", digits);
}

/** 12.4M, 3.2k, 812: as the server writes them. */
export function compact(value) {
  const [scale, letter] = SCALES.find(([size]) => Math.abs(value) >= size * 0.99995) ?? [0, ""];
  return scale ? `${decimals(value / scale, 1).replace(/\.0$/, "")}${letter}` : significant(value, 3);
}

function dollars(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 1) return `$${decimals(value, 2)}`;
  // Two significant decimals: a small amount never reads as $0.00.
  return `$${decimals(value, Math.min(12, Math.max(2, 1 - Math.floor(Math.log10(size)))))}`;
}

function percent(value) {
  return value > 0 && value < 0.0005 ? "< 0.1 %" : `${decimals(value * 100, 1)} %`;
}

function duration(value) {
  if (value < 999.5) return `${value < 99.5 ? significant(value, 3) : decimals(value, 0)} ms`;
  return `${decimals(value / 1000, value < 100_000 ? 2 : 0)} s`;
}

const TEXTS = {
  "1/s": (value) => `${value < 999.5 ? significant(value, 3) : decimals(value, 0)} /s`,
  share: percent,
  count: (value) => decimals(value, 0),
  tokens: compact,
  ms: duration,
  usd: dollars,
};

/** Cents are written whole: $0.50 between $0 and $1, not $0.5; a third decimal where there is one. */
function dollarTick(value) {
  const size = Math.abs(value);
  if (size >= 1000) return `$${compact(value)}`;
  if (size < 0.1 || Number.isInteger(value)) return `$${significant(value, 3)}`;
  const isWhole = Math.abs(size * 100 - Math.round(size * 100)) < 1e-6;
  return `$${decimals(value, isWhole ? 2 : 3)}`;
}

const TICKS = {
  "1/s": compact,
  share: (value) => `${significant(value * 100, 3)} %`,
  count: compact,
  tokens: compact,
  ms: (value) => (Math.abs(value) < 1000 ? `${significant(value, 3)} ms` : `${significant(value / 1000, 3)} s`),
  usd: dollarTick,
};

/** What the y axis measures, in words. */
export const UNITS = {
  "1/s": "requests per second",
  share: "share of requests",
  count: "requests",
  tokens: "tokens",
  ms: "milliseconds",
  usd: "US dollars",
};

/** A value with its unit; a dash for no value, which is not zero. */
export function text(value, unit) {
  return value === null || value === undefined ? EMPTY : TEXTS[unit](value);
}

/** The same; an amount to which unpriced requests add nothing is "at least" that. */
export function textAtLeast(value, unit, isLeast) {
  return isLeast && value !== null && value !== undefined ? `at least ${text(value, unit)}` : text(value, unit);
}

/** A value on an axis. */
export function tick(value, unit) {
  return value === 0 && unit !== "usd" ? "0" : TICKS[unit](value);
}

/** An instant in the reporting zone. `milliseconds` since the epoch. */
export function moment(milliseconds, zone, format) {
  return globalThis.luxon.DateTime.fromMillis(milliseconds, { zone, locale: LOCALE }).toFormat(format);
}

const DAY = 86_400_000;

/** A day of one zone seen from another begins at some hour and ends on the next day. */
function hours(start, end, zone) {
  const format = moment(start, zone, "yyyyLLdd") === moment(end - 1, zone, "yyyyLLdd") ? "HH:mm" : "ccc d LLL, HH:mm";
  return `${moment(start, zone, "ccc d LLL, HH:mm")} – ${moment(end, zone, format)}`;
}

/** The name of a bucket: its day, or its hours on that day. */
export function bucket(start, end, zone) {
  if (end - start >= DAY * 0.9 && moment(start, zone, "HH:mm") !== "00:00") return hours(start, end, zone);
  if (end - start >= DAY * 1.5) return `${moment(start, zone, "d LLL")} – ${moment(end - 1, zone, "d LLL yyyy")}`;
  if (end - start >= DAY * 0.9) return moment(start, zone, "cccc d LLL yyyy");
  return `${moment(start, zone, "ccc d LLL, HH:mm")} – ${moment(end, zone, "HH:mm")}`;
}

/** An ISO instant as the page writes it: time alone when it is today in the zone. */
export function instantText(iso, zone) {
  const then = Date.parse(iso);
  const today = moment(Date.now(), zone, "yyyyLLdd") === moment(then, zone, "yyyyLLdd");
  return moment(then, zone, today ? "HH:mm:ss" : "d LLL yyyy, HH:mm");
}
