/** What a panel shows: its part of the answer joined with colours, isolation and percentile. No DOM here. */

import { aboveAxis, aboveWords } from "./above.js";
import { paintErrors, paintGroups } from "./colors.js";
import { moment, text, UNITS } from "./format.js";
import { budgetsOf, budgetWords } from "./budgets.js";
import { notesOf } from "./notes.js";

/** Time axis of all panels: starts of the buckets, their ends, the borders of the axis. Epoch milliseconds. */
export function timeAxis(data) {
  const { starts, end, partial_from: partial } = data.buckets;
  const ends = starts.map((start, index) => starts[index + 1] ?? end);
  const last = starts.length - 1;
  // The unfinished bucket gets its full width: it will fill up.
  const usual = last > 0 ? starts[last] - starts[last - 1] : end - starts[0];
  const nominal = [...ends.slice(0, last), Math.max(end, starts[last] + usual)];
  return {
    starts,
    ends,
    middles: starts.map((start, index) => (start + nominal[index]) / 2),
    min: starts[0],
    max: nominal[last],
    partial: partial ?? starts.length,
    zone: data.range.zone,
  };
}

function shownPart(panel, percentile) {
  return panel.percentiles ? (panel.percentiles[percentile] ?? Object.values(panel.percentiles)[0]) : panel;
}

/** Whose requests a percentile is of. */
function populationOf(panel) {
  if (!panel.percentiles) return null;
  return `${panel.population ?? "successful"} requests${panel.name === "ttft" || panel.name === "itl" ? ", streaming only" : ""}`;
}

/** What the measure is, how exact its values are and from what they were read. */
function explained(panel, data) {
  const { meta } = data;
  const bound = panel.percentiles ? ` Percentiles by nearest rank from merged histograms: at most ${meta.percentile_error_text} from the exact value.` : "";
  const book = panel.unit === "usd" ? ` Price book version ${meta.price_book_version}.` : "";
  return `${panel.definition}${bound}${book} Read from ${meta.source}; ${meta.rows_read.toLocaleString("en")} rows for all charts.`;
}

function noteOf(panel, data, percentile) {
  if (!panel.percentiles) return panel.form === "line" ? "" : `per ${data.interval.label}`;
  return `P${percentile} · ${populationOf(panel)}`;
}

/** Which dates the dashed lines, or the second values, are of. */
function comparison(part, data) {
  if (!part.series.some((series) => series.previous)) return "";
  const [start, end] = [data.previous.start, data.previous.end].map((border) => moment(Date.parse(border), data.range.zone, "d LLL HH:mm"));
  return ` · compared with ${start} – ${end}`;
}

/** Panels with series of their own say to which values of the view they are narrowed, or that they are not. */
function narrowing(part, data, isolated) {
  const isOwn = part.series.some((series) => series.group === null);
  const isIsolated = data.groups.some((group) => isolated.has(group.label));
  if (!isOwn || !isIsolated) return "";
  return ` · ${data.narrowed.length > 0 ? `only ${data.narrowed.join(", ")}` : `all ${data.view.label.toLowerCase()}`}`;
}

/** All requests of the organization beside the groups: dashed like what was before, in no colour of a group. Never isolated. */
function everyoneOf(part, data) {
  const paint = { name: "text-2", dash: [5, 4] };
  return part.everyone ? [{ ...part.everyone, isGroup: false, isEveryone: true, filter: null, beside: data.everyone, paint, hidden: false }] : [];
}

function seriesOf(part, data, paints) {
  const own = part.series.filter((series) => series.group === null).map((series) => series.label);
  const errors = new Map(paintErrors(own).map((paint, index) => [own[index], paint]));
  return part.series.map((series) => {
    const group = series.group === null ? null : data.groups[series.group];
    return { ...series, label: group?.label ?? series.label, isGroup: group !== null, kind: group?.kind ?? series.kind, filter: group?.filter ?? series.filter ?? null, beside: group?.beside ?? {}, paint: group ? paints[series.group] : errors.get(series.label) };
  });
}

function markHidden(series, isolated, groups) {
  const ofGroups = groups.some((group) => isolated.has(group.label));
  const ofOwn = series.some((one) => !one.isGroup && isolated.has(one.label));
  return series.map((one) => ({ ...one, hidden: (one.isGroup ? ofGroups : ofOwn) && !isolated.has(one.label) }));
}

/**
 * The panels of an answer, ready to draw. `percentileOf` says which one a panel shows, `isolated` is a set of labels,
 * empty = all are shown; `forms` are those of panels that are not drawn in their own.
 */
export function panelModels(data, percentileOf, isolated, forms) {
  const axis = timeAxis(data);
  const paints = paintGroups(data.groups);
  const notes = notesOf(data);
  return data.panels.map((panel) => {
    const percentile = percentileOf(panel.name);
    const part = shownPart(panel, percentile);
    const series = [...markHidden(seriesOf(part, data, paints), isolated, data.groups), ...everyoneOf(part, data)];
    const form = forms.get(panel.name) ?? panel.form;
    const above = aboveAxis(series, panel.unit, form);
    return {
      name: panel.name,
      title: panel.title,
      unit: panel.unit,
      form,
      gap: panel.gap,
      definition: explained(panel, data),
      population: populationOf(panel),
      percentile,
      headline: part.headline ?? "",
      note: (noteOf(panel, data, percentile) || UNITS[panel.unit]) + narrowing(part, data, isolated) + comparison(part, data) + (part.everyone ? " · Everyone: all requests of the organization" : "") + budgetWords(panel) + aboveWords(above, (value) => text(value, panel.unit)),
      range: data.range,
      axis,
      notes,
      budgets: budgetsOf(panel, series),
      above,
      series,
    };
  });
}

/** Whether any value is there to draw. */
export function hasValues(model) {
  return model.series.some((series) => series.values.some((value) => value !== null && (value !== 0 || model.gap === "zero" || model.form === "line")));
}

/** Values at one bucket, largest first, without hidden series and gaps; bars of nothing are left out. */
export function valuesAt(model, index) {
  const rows = model.series
    .filter((series) => !series.hidden)
    .map((series) => ({ series, value: series.values[index], previous: series.previous?.[index], samples: series.beside?.[`${model.name}_samples`]?.[index], least: series.at_least?.[index] ?? false }))
    .filter((row) => row.value !== null && row.value !== undefined && (row.value !== 0 || model.form === "line"));
  return rows.sort((one, other) => other.value - one.value);
}

/** The sentence that stands for the picture. */
export function sentence(model, data) {
  const shown = model.series.filter((series) => !series.hidden);
  const everyone = shown.find((series) => series.isEveryone);
  const top = shown.filter((series) => series !== everyone).reduce((best, series) => ((series.range ?? -1) > (best?.range ?? -1) ? series : best), null);
  const by = shown.some((series) => series.isGroup) ? ` by ${data.view.label.toLowerCase()}` : "";
  const highest = top && top.range !== null ? `, highest ${top.label}${top.range_text ? ` ${top.range_text}` : ""}` : "";
  const beside = everyone ? `, everyone ${everyone.range_text}` : "";
  const noted = model.notes.length > 0 ? `, ${model.notes.length} annotation${model.notes.length > 1 ? "s" : ""}` : "";
  const above = model.above ? `, ${model.above.series.label} above the axis` : "";
  const budgets = model.budgets.map((budget) => `, budget ${budget.label}`).join("");
  return `${model.title}${by}, ${data.range.label.toLowerCase()}, ${model.headline || "no value"}${highest}${beside}${above}${noted}${budgets}. Arrow keys read the values.`;
}
