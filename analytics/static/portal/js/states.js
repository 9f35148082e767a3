/** Words for what is not data: nothing there, refusals, errors, messages. */

import { byId, goLink, h, icon, replace } from "./dom.js";
import { moment } from "./format.js";
import { link, linkBetween } from "./state.js";

function card(name, sign, title, ...rest) {
  const image = icon(sign);
  image.classList.add("state-icon");
  return h("section", { class: "state card", data: { state: name } }, image, h("h2", {}, title), ...rest);
}

function nothingInRange(data) {
  const { first, last } = data.empty_hint ?? {};
  const zone = data.range.zone;
  const [start, end] = [first, last].map((iso) => iso && moment(Date.parse(iso), zone, "d LLL yyyy, HH:mm"));
  const words = first ? ` Requests were recorded from ${start} to ${end}.` : "";
  // One second more: the range is half-open, and the last record lies on its border.
  const nearest = first && goLink(linkBetween(Date.parse(first) - 1000, Date.parse(last) + 1000), { class: "button primary" }, "Show the recorded data");
  return card("nothing_in_range", "clock", "No requests in this range", h("p", {}, `${data.range.label} holds no data.${words}`), nearest && h("p", {}, nearest));
}

function nothingForFilters() {
  const clear = goLink(link({ f: null }), { class: "button primary" }, "Clear the filters");
  return card("nothing_for_filters", "filter", "No data for these filters", h("p", {}, "Requests exist in this range, but none that matches every filter."), h("p", {}, clear));
}

function noPermission() {
  return card("no_permission", "shield", "There is nothing you may see here yet", h("p", {}, "Your role in this organization is none that this portal knows. An administrator can give you another."));
}

function problem(refusal) {
  const list = (refusal.suggestions ?? []).map((suggestion) => h("li", {}, suggestion));
  return card("problem", "warning", refusal.title, h("p", {}, refusal.detail), list.length > 0 && h("ul", { class: "state-list" }, list));
}

const WORDS = { nothing_in_range: nothingInRange, nothing_for_filters: nothingForFilters, no_permission: noPermission };

/** Show why there are no numbers, or the numbers. How to connect is on the page from the start. */
export function renderState(data) {
  const state = byId("state");
  for (const id of ["results", "breakdown"]) byId(id).hidden = Boolean(data.empty || data.problem);
  // What happened in a range without requests may be why there are none.
  byId("annotations").hidden = ["nothing_ingested", "no_permission"].includes(data.empty);
  if (data.problem) replace(state, problem(data.problem));
  else if (data.empty in WORDS) replace(state, WORDS[data.empty](data));
  else if (!data.empty) replace(state);
  else if (!state.querySelector(`[data-state="${CSS.escape(data.empty)}"]`)) location.reload();
}

function notice(kind, sign, ...children) {
  const element = h("div", { class: `notice ${kind}` }, icon(sign), ...children);
  element.append(h("button", { type: "button", class: "button small icon-only quiet", "aria-label": "Dismiss", on: { click: () => element.remove() } }, icon("close")));
  return element;
}

/** Show what was wrong with parameters and replaced by defaults. */
export function renderMessages(messages) {
  replace(byId("messages"), messages.map((words) => notice("warning", "info", h("p", {}, words))));
}

/** Show an error over the old data, with a way to try again. */
export function renderFailure(error, retry) {
  const id = error.id ? ` Id: ${error.id}` : "";
  const words = h("p", {}, h("strong", {}, `${error.message}. `), `${error.detail ?? ""}${id}`);
  replace(byId("failure"), notice("error", "warning", words, h("button", { type: "button", class: "button small", on: { click: retry } }, "Retry")));
}

/** Take the error away. */
export function clearFailure() {
  replace(byId("failure"));
}
