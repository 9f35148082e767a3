/** Annotations in the charts: a thin line with a sign at each instant, a shade where something lasted. */

import { css, fade } from "./colors.js";
import { h } from "./dom.js";
import { params } from "./state.js";

/** Letter, colour and dash of each kind: never told apart by colour alone. */
const LOOKS = {
  deploy: { letter: "D", color: "accent", dash: [] },
  price_change: { letter: "P", color: "warn", dash: [5, 3] },
  routing_change: { letter: "R", color: "good", dash: [2, 2] },
  incident: { letter: "!", color: "bad", dash: [] },
  other: { letter: "•", color: "text-2", dash: [1, 3] },
};
/** Lines nearer to each other than this share of the axis are one, with the signs of all. */
const APART = 1 / 150;
const MOST_SIGNS = 3;

/** The sign of a kind, as in the charts. */
export function sign(kind) {
  return h("span", { class: "note-sign", data: { kind }, "aria-hidden": "true" });
}

/** Whether the URL wants them in the charts. */
export function areNotesShown() {
  return params().get("notes") !== "off";
}

/** What happened, for the charts: in the order of time, as epoch milliseconds. */
export function notesOf(data) {
  if (!areNotesShown()) return [];
  const notes = data.annotations.notes.map((note) => ({ ...note, from: Date.parse(note.at), until: note.end ? Date.parse(note.end) : null }));
  return notes.sort((one, other) => one.from - other.from);
}

/** The notes of the axis in groups that lie too near to each other for lines of their own. */
function clusters({ notes, axis }) {
  const near = (axis.max - axis.min) * APART;
  const found = [];
  for (const note of notes.filter(({ from }) => from >= axis.min && from <= axis.max)) {
    const last = found.at(-1);
    if (last && note.from - last.at < near) last.notes.push(note);
    else found.push({ at: note.from, notes: [note] });
  }
  return found;
}

function label(kinds, color, font) {
  const letters = kinds.slice(0, MOST_SIGNS).map((kind) => LOOKS[kind].letter).join("");
  return {
    display: true,
    content: kinds.length > MOST_SIGNS ? `${letters}+` : letters,
    position: "start",
    backgroundColor: color,
    color: css("surface"),
    font: { family: font, size: 9, weight: "bold" },
    padding: { x: 3, y: 2 },
    borderRadius: 3,
  };
}

function lineOf({ at, notes }, font) {
  const kinds = [...new Set(notes.map((note) => note.kind))];
  const { color: name, dash } = LOOKS[kinds[0]];
  const color = css(name);
  return { type: "line", scaleID: "x", value: at, borderColor: fade(color, 0.75), borderWidth: 1, borderDash: dash, label: label(kinds, color, font) };
}

function shadeOf(note, axis) {
  const [xMin, xMax] = [Math.max(note.from, axis.min), Math.min(note.until, axis.max)];
  return { type: "box", xMin, xMax, backgroundColor: fade(css(LOOKS[note.kind].color), 0.1), borderWidth: 0, drawTime: "beforeDatasetsDraw" };
}

/** The lines and shades of a panel, for the annotation plugin: by name, so that an update keeps what stayed. */
export function noteLines(model, font) {
  const { axis, notes } = model;
  const lasting = notes.filter(({ from, until }) => until !== null && from < axis.max && until > axis.min);
  return Object.fromEntries([
    ...lasting.map((note, index) => [`shade-${index}`, shadeOf(note, axis)]),
    ...clusters(model).map((cluster, index) => [`note-${index}`, lineOf(cluster, font)]),
  ]);
}

/** The bucket at which the crosshair stands when it is on an instant. */
function indexOf(model, at) {
  const { starts } = model.axis;
  const before = Math.max(0, starts.findLastIndex((start) => start <= at));
  const next = starts[before + 1];
  return model.form === "line" && next !== undefined && next - at <= at - starts[before] ? before + 1 : before;
}

/** What is drawn at a bucket: it happened there, or lasted into it. */
export function notesAt(model, index) {
  const { starts, ends, min, max } = model.axis;
  return model.notes.filter(({ from, until }) => {
    if (from >= min && from <= max && indexOf(model, from) === index) return true;
    return until !== null && from < ends[index] && until > starts[index];
  });
}
