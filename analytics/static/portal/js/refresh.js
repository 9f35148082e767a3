/** Refreshing by itself: off, 30 s, 1 or 5 minutes; waits while the page is hidden or its range stands still, and says so. */

import { byId, write } from "./dom.js";
import { isRelative } from "./state.js";

const STORED = "portal-refresh";
const UNTIL_FIRST = 10_000;
/** In the title of a tab that nobody looks at, the only place where a hidden page can say anything. */
const WAITING = "\u23f8 ";

let page = null;
let last = Date.now();

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

/** Who waits for the first request of all is shown it without choosing anything. */
function every() {
  const chosen = Number(byId("refresh-every").value) * 1000;
  return chosen || (page.data().empty === "nothing_ingested" ? UNTIL_FIRST : 0);
}

function waitsForRange() {
  return !isRelative(page.data().state);
}

/** Say whether refreshing waits, and for what. */
export function renderRefresh() {
  const isOn = every() > 0;
  const waits = isOn && waitsForRange();
  byId("refresh-waits").hidden = !waits;
  write(byId("refresh-why"), waits ? "Paused: the range stands still" : "");
  const title = document.title.replace(WAITING, "");
  const written = isOn && document.hidden ? WAITING + title : title;
  if (written !== document.title) document.title = written;
}

function tick() {
  if (!every() || document.hidden || waitsForRange() || Date.now() - last < every()) return;
  last = Date.now();
  page.refresh();
}

/** Wire button and choice. `offered` has `refresh()` and `data()`. */
export function bindRefresh(offered) {
  page = offered;
  const select = byId("refresh-every");
  select.value = remembered();
  select.addEventListener("change", () => {
    remember(select.value);
    last = Date.now();
    renderRefresh();
  });
  byId("refresh").addEventListener("click", page.refresh);
  document.addEventListener("visibilitychange", renderRefresh);
  setInterval(tick, 1000);
}
