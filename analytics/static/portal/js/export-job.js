/** Exports that the portal prepares in the background: asked for, watched, stopped, fetched. One at a time in the dialog. */

import { byId } from "./dom.js";
import { getJson, send } from "./load.js";

const SECOND = 1000;
const LONGEST_PAUSE = 15 * SECOND;
const UNFINISHED = ["queued", "running"];

let job = null;
let timer = 0;

function token() {
  return byId("export-form").querySelector("[name=csrfmiddlewaretoken]").value;
}

/** Text only where it changed: a screen reader repeats what is written again. */
function say(text) {
  if (byId("export-job-text").textContent !== text) byId("export-job-text").textContent = text;
}

function words({ state, rows, name, expires_at: until, problem }) {
  if (state === "failed") return `${problem.title}. ${problem.detail}`;
  if (state === "done") return `${name}, ${rows.toLocaleString("en")} rows. Kept until ${new Date(until).toLocaleDateString()}.`;
  return state === "queued" && rows === 0 ? `${name} waits for its turn` : `${name}: ${rows.toLocaleString("en")} rows read`;
}

function show() {
  const working = UNFINISHED.includes(job.state);
  byId("export-job").hidden = false;
  byId("export-job-bar").hidden = !working;
  byId("export-job-bar").value = job.progress;
  byId("export-job-link").hidden = job.state !== "done";
  if (job.url) byId("export-job-link").href = job.url;
  byId("export-job-stop").textContent = working ? "Stop" : "Delete";
  byId("export-job-stop").hidden = false;
  byId("export-prepare").disabled = working;
  say(words(job));
}

function showProblem(problem) {
  byId("export-job").hidden = false;
  byId("export-job-bar").hidden = true;
  byId("export-job-link").hidden = true;
  byId("export-job-stop").hidden = true;
  byId("export-prepare").disabled = false;
  say(`${problem.message}. ${problem.detail ?? ""}`);
}

async function watch(pause) {
  const watched = job;
  let next = SECOND;
  try {
    const found = await getJson(watched.self);
    if (job !== watched) return;
    job = found;
    show();
    if (!UNFINISHED.includes(job.state)) return;
  } catch (problem) {
    if (job !== watched) return;
    showProblem(problem);
    if (problem.status === 401 || problem.status === 404) return;
    next = Math.min(2 * pause, LONGEST_PAUSE);
  }
  timer = setTimeout(watch, next, next);
}

/** Have a file prepared: `url` of the exports, `body` with the question. */
export async function prepare(url, body) {
  clearTimeout(timer);
  byId("export-prepare").disabled = true;
  try {
    job = await send("POST", url, token(), body);
    show();
    timer = setTimeout(watch, SECOND, SECOND);
  } catch (problem) {
    job = null;
    showProblem(problem);
  }
}

/** Stop what is being prepared, or delete what was. */
export async function stop() {
  clearTimeout(timer);
  const { self } = job;
  job = null;
  try {
    await send("DELETE", self, token());
    byId("export-job").hidden = true;
    byId("export-prepare").disabled = false;
  } catch (problem) {
    showProblem(problem);
  }
}
