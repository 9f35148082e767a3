/** Keys: `?` lists them. Off in inputs and dialogs, and on request (WCAG 2.1.4). */

import { byId, closable } from "./dom.js";
import { toggleTheme } from "./shell.js";

const STORED = "portal-shortcuts";
const VIEWS = { m: "model", v: "virtual_model", u: "user", a: "virtual_account", t: "team", x: "metadata" };
const CHAIN = 1500;

let chainedAt = 0;

function isTyping(target) {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable], dialog[open]");
}

function isOn() {
  return byId("shortcuts-on").checked;
}

function follow(selector) {
  document.querySelector(selector)?.click();
}

function toggleRange() {
  const menu = byId("range-menu");
  menu.open = !menu.open;
  menu.querySelector("summary").focus();
}

function percentile(index) {
  document.querySelectorAll("[data-p]")[index]?.click();
}

function actions(page) {
  return {
    "?": () => byId("shortcuts-dialog").showModal(),
    t: toggleRange,
    "[": () => follow('[data-move="earlier"]'),
    "]": () => follow('[data-move="later"]'),
    "-": () => follow('[data-move="wider"]'),
    r: page.refresh,
    f: page.addFilter,
    "/": page.addFilter,
    e: page.export,
    d: toggleTheme,
    g: () => {
      chainedAt = Date.now();
    },
    1: () => percentile(0),
    2: () => percentile(1),
    3: () => percentile(2),
    4: () => percentile(3),
    Escape: page.escape,
  };
}

function remembered() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

function remember() {
  try {
    localStorage.setItem(STORED, isOn() ? "on" : "off");
  } catch {
    // Storage may be forbidden: the choice then lasts until the page is left.
  }
}

/** Wire the keys. `page` offers `refresh`, `addFilter`, `export` and `escape`. */
export function bindShortcuts(page) {
  const act = actions(page);
  closable(byId("shortcuts-dialog"));
  byId("shortcuts-on").checked = remembered();
  byId("shortcuts-on").addEventListener("change", remember);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    const view = Date.now() - chainedAt < CHAIN && VIEWS[event.key];
    if (!view && !(event.key in act)) return;
    // With shortcuts off, "?" still opens the list: there they are switched on again. Escape is no shortcut.
    if (!isOn() && event.key !== "?" && event.key !== "Escape") return;
    chainedAt = 0;
    if (event.key !== "Escape") event.preventDefault();
    if (view) follow(`[data-by="${view}"]`);
    else act[event.key]();
  });
}
