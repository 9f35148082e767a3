/* Runs before the first paint, so that this browser's own choice of light or dark does not flash the other one,
   and so that what needs JavaScript is shown from the start. */
(function () {
  "use strict";
  document.documentElement.classList.add("with-js");
  var choice = null;
  try {
    choice = localStorage.getItem("portal-theme");
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
})();
