/** The way back from ranges that were dragged on charts: kept with the entry of the browser's history, not in the address. */

import { byId } from "./dom.js";
import { link, params } from "./state.js";

function borders(search) {
  const found = new URLSearchParams(search);
  return { from: found.get("from"), to: found.get("to") };
}

function outer() {
  return history.state?.outer ?? [];
}

/** State of the history's next entry: as long as the range stays, so does the way back. */
export function kept(search) {
  const [now, next] = [borders(location.search), borders(search)];
  return now.from === next.from && now.to === next.to ? history.state : null;
}

/** State of the entry that a dragged range makes: it leads back to the range of now. */
export function zoomed() {
  return { outer: [...outer(), borders(location.search)] };
}

/** Wire the button. `go(search, state)` leads to another address. */
export function bindZoom(go) {
  byId("zoom-undo").addEventListener("click", () => {
    const ranges = outer();
    go(link({ ...ranges.at(-1), iso: params().getAll("iso") }), { outer: ranges.slice(0, -1) });
  });
}

/** Offer the way back while there is one. */
export function renderZoom() {
  byId("zoom-undo").hidden = outer().length === 0;
}
