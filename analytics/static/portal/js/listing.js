/** Cost check and requests: the server writes the page; this adds the filter dialog, the custom range and filters that can be edited. */

import { renderChips } from "./chips.js";
import { bindRange, renderRange } from "./controls.js";
import { byId } from "./dom.js";
import { bindFilter, openFilter } from "./filter-dialog.js";

const root = byId("listing");
const data = JSON.parse(byId("listing-data").textContent);
const page = {
  organization: root.dataset.organization,
  valuesUrl: root.dataset.valuesUrl,
  data: () => data,
  go: (search) => {
    location.search = search;
  },
};

renderRange(data);
renderChips(data, new Set(), openFilter);
bindRange(page);
bindFilter(page);
