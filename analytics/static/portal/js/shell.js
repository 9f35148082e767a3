/** What every page has: menus that close, the theme switch. */

const root = document.documentElement;
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now, by choice or by system. */
export function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
}

/** Switch the theme, remember the choice, tell the charts. */
export function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("portal-theme", root.dataset.theme);
  } catch {
    // Storage may be forbidden: the choice then lasts until the page is left.
  }
  announceTheme();
}

function announceTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) button.setAttribute("aria-pressed", String(isDark()));
  document.dispatchEvent(new CustomEvent("portal:theme"));
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function onEscape(event) {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.stopPropagation();
}

/** A button that copies a text, in a line of its own. */
function copyButton(text) {
  const [line, button] = [document.createElement("div"), document.createElement("button")];
  Object.assign(button, { type: "button", className: "button small", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  line.append(button);
  return line;
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", toggleTheme);
}
system.addEventListener("change", announceTheme);
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", onEscape, true);
for (const notice of document.querySelectorAll("[data-dismiss]")) {
  notice.hidden = false;
  notice.addEventListener("click", () => notice.closest(".notice").remove());
}
// Keys and codes that are shown once, records to type elsewhere. Browsers copy over HTTPS and on the own machine alone.
if (navigator.clipboard) for (const text of document.querySelectorAll("pre.settings-secret")) text.after(copyButton(text));
// Where a row of links is wider than the window, the one of this page is seen first. Last: the switch above takes its place in the bar.
for (const row of document.querySelectorAll(".topbar-nav, .segmented")) {
  const here = row.querySelector(":scope > [aria-current]");
  if (here && row.scrollWidth > row.clientWidth) row.scrollLeft += here.getBoundingClientRect().right - row.getBoundingClientRect().right + 32;
}
