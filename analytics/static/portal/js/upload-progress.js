/** The progress of an import, asked for every second until it ends; then the page with its report is loaded. */
import { byId } from "./dom.js";
import { getJson } from "./load.js";

const SECOND = 1000;
const LONGEST_PAUSE = 15 * SECOND;
const section = byId("upload-progress");

/** Text only where it changed: a screen reader repeats what is written again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(standing) {
  for (const place of section.querySelectorAll("[data-shown]")) write(place, String(standing[place.dataset.shown]));
  for (const name of ["conflict", "rejected"]) section.querySelector(`[data-shown="${name}"]`).classList.toggle("bad", standing[name] !== "0");
  write(byId("upload-words"), standing.words);
  byId("upload-bar").value = standing.share;
  byId("upload-hint").hidden = !standing.hint;
}

async function ask(pause) {
  let next = SECOND;
  try {
    const standing = await getJson(section.dataset.progress);
    if (standing.ended || standing.state === "waiting") return window.location.reload();
    show(standing);
  } catch (problem) {
    byId("upload-hint").hidden = false;
    write(section.querySelector('[data-shown="hint"]'), `${problem.message}. ${problem.detail ?? ""}`);
    if (problem.status === 401 || problem.status === 404) return undefined;
    next = Math.min(2 * pause, LONGEST_PAUSE);
  }
  return setTimeout(ask, next, next);
}

setTimeout(ask, SECOND, SECOND);
