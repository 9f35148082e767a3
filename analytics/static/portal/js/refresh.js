/** Refreshing by itself: off, 30 s, 1 or 5 minutes; waits while the page is hidden or its range stands still. */

import { byId } from "./dom.js";
import { isRelative } from "./state.js";

const STORED = "portal-refresh";

function remembered() {
  try {
    return sessionStorage.getItem(STORED) ?? "0";
  } catch {
    return "0";
  }
}

function remember(value) {
  try {
    sessionStorage.setItem(STORED, value);
  } catch {
    // Storage may be forbidden: the choice then lasts until the page is left.
  }
}

/** Wire button and choice. `page` offers `refresh()` and `data()`. */
export function bindRefresh(page) {
  const select = byId("refresh-every");
  let last = Date.now();
  select.value = remembered();
  select.addEventListener("change", () => remember(select.value));
  byId("refresh").addEventListener("click", page.refresh);
  setInterval(() => {
    const every = Number(select.value) * 1000;
    if (!every || document.hidden || !isRelative(page.data().state) || Date.now() - last < every) return;
    last = Date.now();
    page.refresh();
  }, 1000);
}
