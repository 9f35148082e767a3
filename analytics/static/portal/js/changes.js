/** How a number moves: its change against the period before, and the small picture of its course. Both come from the server. */

import { h, icon, svg } from "./dom.js";
import { moment } from "./format.js";

/** What a change is measured against: the earlier value and its dates; null when there is none. */
export function earlier(words, data) {
  if (!words || !data.previous) return null;
  const [start, end] = [data.previous.start, data.previous.end].map((iso) => moment(Date.parse(iso), data.range.zone, "d LLL HH:mm"));
  return `${words} from ${start} to ${end}`;
}

/** Arrow and words of a change; a list to put into an element. */
export function changeOf(one) {
  return [one.arrow && icon(one.arrow), one.change_text];
}

/** The picture of a course with its words for who does not see it; nothing where there is none. */
export function sparkOf(spark) {
  if (!spark) return [];
  const picture = svg("svg", { class: "spark", viewBox: "0 0 240 80", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("polygon", { points: spark.points }));
  return [picture, spark.words && h("span", { class: "visually-hidden" }, spark.words)].filter(Boolean);
}
