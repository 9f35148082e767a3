/** Filters and isolation as chips: each is edited by click and removed by its button or by Delete. */

import { byId, goLink, h, icon, replace } from "./dom.js";
import { link, linkWithoutFilter } from "./state.js";

function onDelete(event) {
  if (event.key !== "Delete" && event.key !== "Backspace") return;
  event.preventDefault();
  event.currentTarget.closest(".chip").querySelector(".chip-remove").click();
}

function filterChip(filter, onEdit) {
  return h(
    "li",
    { class: "chip" },
    h(
      "button",
      { type: "button", class: "chip-text", title: "Edit this filter", on: { click: () => onEdit(filter), keydown: onDelete } },
      `${filter.field_label} `,
      h("span", { class: "muted" }, filter.op_label),
      " ",
      h("strong", {}, filter.values.join(", ")),
    ),
    goLink(linkWithoutFilter(filter.text), { class: "chip-remove", "aria-label": `Remove the filter ${filter.field_label}` }, icon("close")),
  );
}

function isolationChip(isolated) {
  const labels = [...isolated];
  const shown = labels.length > 3 ? `${labels.slice(0, 3).join(", ")} and ${labels.length - 3} more` : labels.join(", ");
  return h(
    "li",
    { class: "chip isolated" },
    h("span", { class: "chip-text" }, "Showing only ", h("strong", {}, shown)),
    goLink(link({ iso: null }), { class: "chip-remove", "aria-label": "Show all series" }, icon("close")),
  );
}

/** Show the filters of an answer and the isolated series. */
export function renderChips(data, isolated, onEdit) {
  const list = byId("chips");
  const { activeElement: focused } = document;
  const place = [...list.children].findIndex((chip) => chip.contains(focused));
  const chips = data.state.filters.map((filter) => filterChip(filter, onEdit));
  replace(list, chips, isolated.size > 0 && isolationChip(isolated));
  // Who removes chips by keys goes on with the next one.
  if (place >= 0) (list.children[Math.min(place, list.children.length - 1)]?.querySelector("button, a") ?? byId("filter-add")).focus();
  const clear = byId("filters-clear");
  clear.hidden = data.state.filters.length === 0;
  clear.setAttribute("href", link({ f: null }));
}
