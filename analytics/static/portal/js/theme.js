/* Runs before the first paint, so that a remembered choice of light or dark does not flash the other one. */
(function () {
  "use strict";
  var choice = null;
  try {
    choice = localStorage.getItem("portal-theme");
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
})();
