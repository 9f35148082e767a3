/** In which zone times are written: the organization's, or the browser's where the address says `tz=viewer`. Labels only. */

import { byId } from "./dom.js";
import { moment } from "./format.js";
import { link, params } from "./state.js";

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const FORMAT = "d LLL yyyy HH:mm";

/** Whether that is the browser's zone; browsers know some zones by an older name. */
function isMine(zone) {
  return Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone === own;
}

/** What the person chose in the profile. */
const usual = document.documentElement.dataset.times ?? "org";

/** Whether times are written in the browser's zone. */
export function isOwnZone() {
  return (params().get("tz") ?? usual) === "viewer";
}

function labelOf({ range, state, choices }) {
  // Presets are named after days and hours of the organization: they have no times to write.
  if (choices.presets.some(({ from, to }) => from === state.from && to === state.to)) return range.label;
  return `${moment(Date.parse(range.start), own, FORMAT)} – ${moment(Date.parse(range.end), own, FORMAT)}`;
}

/** The answer with the zone and the label of its times; `range.reporting` stays the zone of days, hours and forms. */
export function inLabelZone(data) {
  const reporting = data.range.zone;
  if (!isOwnZone() || isMine(reporting)) return { ...data, range: { ...data.range, reporting } };
  return { ...data, range: { ...data.range, reporting, zone: own, label: labelOf(data) } };
}

/** Name the zone beside the range, and offer the other one. */
export function renderZone({ range }) {
  const isOwn = range.zone !== range.reporting;
  document.querySelector(".range-zone").textContent = ` · ${range.reporting}${isOwn ? `, times in ${own}` : ""}`;
  const choice = byId("zone-choice");
  choice.hidden = isMine(range.reporting);
  const other = isOwn ? "org" : "viewer";
  choice.setAttribute("href", link({ tz: other === usual ? null : other, iso: params().getAll("iso") }));
  choice.textContent = isOwn ? `Write times in ${range.reporting}` : `Write times in my zone, ${own}`;
}
