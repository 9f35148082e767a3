/** The list of annotations below the charts: shown, added to, taken from. */

import { clear } from "./crosshair.js";
import { byId, h, icon, replace, say } from "./dom.js";
import { moment } from "./format.js";
import { send } from "./load.js";
import { areNotesShown, sign } from "./notes.js";
import { link } from "./state.js";

const LOCAL = "yyyy-LL-dd'T'HH:mm";

let page = null;

function address(id = "") {
  return `${page.annotationsUrl}${id && `/${id}`}?${new URLSearchParams({ organization: page.organization })}`;
}

function token() {
  return document.querySelector("#annotate-form [name=csrfmiddlewaretoken]").value;
}

function showProblem(problem) {
  byId("annotate-error").textContent = problem ? `${problem.message}. ${problem.detail ?? ""}` : "";
}

async function attempt(act) {
  showProblem(null);
  try {
    await act();
  } catch (problem) {
    byId("annotate").open = true;
    showProblem(problem);
  }
}

function remove(note) {
  return attempt(async () => {
    await send("DELETE", address(note.id), token());
    await page.refresh();
    byId("annotations-title").focus();
    say("Deleted.");
  });
}

function entry(note) {
  const of = [note.team, note.author].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "note", data: { kind: note.kind } },
    sign(note.kind),
    h("time", { class: "note-time", datetime: note.at }, note.when),
    h("span", { class: "note-words" }, h("strong", {}, note.kind_label), ` ${note.text}`, note.link && " ", note.link && h("a", { href: note.link, rel: "noopener noreferrer nofollow", target: "_blank" }, "Details")),
    h("span", { class: "note-of muted" }, of),
    note.may_delete && h("button", { type: "button", class: "button small icon-only quiet no-print", "aria-label": `Delete the annotation ${note.text}`, on: { click: () => remove(note) } }, icon("close")),
  );
}

/** Show what happened in the range of an answer, and whether the charts tell of it. */
export function renderNotes(data) {
  const { notes, count, most } = data.annotations;
  replace(byId("notes-list"), notes.map(entry));
  byId("notes-none").hidden = notes.length > 0;
  byId("notes-more").hidden = count <= most;
  byId("notes-more").textContent = `The newest ${most} of ${count}.`;
  for (const anchor of byId("notes-shown").querySelectorAll("a")) {
    const isOn = anchor.dataset.notes === "on";
    anchor.setAttribute("href", link({ notes: isOn ? null : "off" }));
    if (isOn === areNotesShown()) anchor.setAttribute("aria-current", "true");
    else anchor.removeAttribute("aria-current");
  }
}

/** A local time of the form as an instant; null for an empty field. */
function told(input) {
  const { zone } = page.data().range;
  return input.value === "" ? null : globalThis.luxon.DateTime.fromISO(input.value, { zone }).toISO();
}

function isInRange({ at, end }) {
  const { range } = page.data();
  return Date.parse(at) < Date.parse(range.end) && Date.parse(end ?? at) >= Date.parse(range.start);
}

function add(event) {
  event.preventDefault();
  const { elements } = event.target;
  return attempt(async () => {
    const body = { kind: elements.kind.value, text: elements.text.value, at: told(elements.at), end: told(elements.end), link: elements.link.value || null, team: elements.team.value || null };
    const made = await send("POST", address(), token(), body);
    for (const name of ["text", "link", "at", "end"]) elements[name].value = elements[name].defaultValue;
    byId("annotate").open = false;
    await page.refresh();
    byId("annotations-title").focus();
    say(isInRange(made) ? "Saved." : "Saved. It lies outside the range that is shown.");
  });
}

/** The page may have been open for hours: an untouched time is that of now. */
function onToggle() {
  const input = byId("annotate-at");
  const isUntouched = input.value === input.defaultValue && byId("annotate-error").textContent === "";
  if (byId("annotate").open && isUntouched) input.value = moment(Date.now(), page.data().range.zone, LOCAL);
}

/** Open the form for an instant of the charts. */
function openFor(milliseconds) {
  clear();
  byId("annotate").open = true;
  byId("annotate-at").value = moment(milliseconds, page.data().range.zone, LOCAL);
  byId("annotate-text").focus();
}

/** Let the form work. `dashboard` offers `organization`, `annotationsUrl`, `data()` and `refresh()`. */
export function bindNotes(dashboard) {
  page = dashboard;
  if (!byId("annotate")) return;
  byId("annotate-form").addEventListener("submit", add);
  byId("annotate").addEventListener("toggle", onToggle);
  document.addEventListener("portal:annotate", (event) => openFor(event.detail));
}
