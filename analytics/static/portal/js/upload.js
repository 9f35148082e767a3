/** Sending a file: how much of it has arrived, and a way to stop. Without this script the form is an ordinary form. */
import { byId } from "./dom.js";

const form = byId("upload-form");
const submit = form.querySelector("[type=submit]");
const stop = byId("upload-stop");
let running = null;

function size(bytes) {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 10 ? `${mebibytes.toFixed(1)} MB` : `${Math.round(mebibytes).toLocaleString("en")} MB`;
}

function showError(text) {
  const place = byId("upload-error");
  place.querySelector("span").textContent = text;
  place.hidden = !text;
}

function setSending(sending) {
  byId("upload-sending").hidden = !sending;
  submit.disabled = sending;
  stop.hidden = !sending;
}

function showSent({ loaded, total }) {
  byId("upload-sent").value = total ? (100 * loaded) / total : 0;
  byId("upload-sent-text").textContent = loaded < total ? `${size(loaded)} of ${size(total)} sent` : "Reading the beginning …";
}

function end(text) {
  running = null;
  setSending(false);
  showError(text);
}

/** The answer leads to the preview, or says what is wrong; a page instead of it means that the session is over. */
function answered({ target }) {
  if (target.status === 201) return window.location.assign(target.response.location);
  const problem = target.response ?? {};
  const words = target.responseURL.includes("/sign-in") ? "You were signed out. Reload the page to sign in again." : "";
  return end(words || problem.detail || problem.title || `The server answered ${target.status}.`);
}

function send(data) {
  running = new XMLHttpRequest();
  running.open("POST", form.action);
  running.responseType = "json";
  running.setRequestHeader("Accept", "application/json");
  running.upload.addEventListener("progress", showSent);
  running.addEventListener("load", answered);
  running.addEventListener("error", () => end("The file could not be sent. Check the connection, then try again."));
  running.addEventListener("abort", () => end(""));
  setSending(true);
  showError("");
  showSent({ loaded: 0, total: 0 });
  running.send(data);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = byId("upload-file").files[0];
  const limit = Number(form.dataset.maxBytes);
  if (file.size > limit) showError(`The file has ${size(file.size)}, ${size(limit)} are allowed. Compress it with gzip, or split it.`);
  else send(new FormData(form));
});
stop.addEventListener("click", () => running?.abort());
// A page that comes back from the browser's memory shows the state it was left in.
window.addEventListener("pageshow", (event) => event.persisted && setSending(false));
