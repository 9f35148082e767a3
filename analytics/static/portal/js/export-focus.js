/** The format FOCUS of the export dialog: costs by token class, whole UTC days, nothing to group or choose. */

import { byId, h, replace } from "./dom.js";

const CHOICES = ["export-groups", "export-every", "export-measures"];
const PATH = "/api/v1/focus";

/** Hide what does not apply to the format, show it again for the others. */
export function showChoices(isFocus) {
  for (const id of CHOICES) byId(id).closest("fieldset, details").hidden = isFocus;
}

/** UTC days of the page's range, both inclusive. */
export function focusQuery({ start, end }) {
  const last = new Date(Math.max(new Date(start), new Date(end) - 1));
  return new URLSearchParams({ start_date: new Date(start).toISOString().slice(0, 10), end_date: last.toISOString().slice(0, 10) });
}

/** Where the file is. */
export function focusUrl(range, organization) {
  const query = focusQuery(range);
  if (organization) query.set("organization", organization);
  return `${PATH}?${query}`;
}

/** The same as the body of an export in the background. */
export function focusBody(range) {
  return { of: "focus", format: "csv", ...Object.fromEntries(focusQuery(range)) };
}

/** What the file will hold, in the place of a preview. */
export function describe(range) {
  const query = focusQuery(range);
  byId("export-rows").textContent = `${query.get("start_date")} to ${query.get("end_date")}, UTC`;
  replace(
    byId("export-preview"),
    h(
      "p",
      { class: "muted" },
      "Costs in the FinOps specification FOCUS 1.2: one row per UTC day, team, provider, model and token class. Filters of this page do not apply. Names are written as they are, for programs: a spreadsheet may read one that begins with = as a formula.",
    ),
  );
}
