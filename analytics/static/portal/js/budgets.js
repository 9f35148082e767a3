/** Budgets in the chart of cost: a dashed line at what falls to a bucket, and how far each is used. */

import { css, fade } from "./colors.js";
import { areNotesShown } from "./notes.js";

/** A line higher than so many times the highest bar would flatten the bars: the words stand for it. */
const TALLEST = 4;

/** The height of the highest stack, or the highest value of a line. */
function highest(series) {
  const shown = series.filter((one) => !one.hidden);
  const length = shown[0]?.values.length ?? 0;
  let most = 0;
  for (let index = 0; index < length; index += 1) most = Math.max(most, shown.reduce((sum, one) => sum + (one.values[index] ?? 0), 0));
  return most;
}

/** The budgets whose lines are drawn: they are hidden with the annotations. */
export function budgetsOf(panel, series) {
  if (!panel.budgets?.length || !areNotesShown()) return [];
  const most = highest(series);
  return panel.budgets.filter(({ value }) => value <= most * TALLEST);
}

/** How far each is used, behind the note of the panel. */
export function budgetWords(panel) {
  return (panel.budgets ?? []).map(({ used }) => ` · ${used}`).join("");
}

/** What the axis must reach so that every line is seen with its words. */
export function budgetTop(model) {
  return model.budgets.length > 0 ? Math.max(...model.budgets.map(({ value }) => value)) * 1.12 : undefined;
}

/** The lines, for the annotation plugin. */
export function budgetLines({ budgets }, font) {
  const line = ({ value, label }) => ({
    type: "line",
    scaleID: "y",
    value,
    borderColor: css("text-2"),
    borderWidth: 1.5,
    borderDash: [6, 4],
    label: {
      display: true,
      content: label,
      position: "start",
      yAdjust: -9,
      backgroundColor: fade(css("surface"), 0.85),
      color: css("text-2"),
      font: { family: font, size: 10, weight: "500" },
      padding: { x: 4, y: 1 },
    },
  });
  return Object.fromEntries(budgets.map((budget, index) => [`budget-${index}`, line(budget)]));
}
