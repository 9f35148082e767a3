/* Before the first paint: Swagger UI is dark by a class of the page, where the portal is. */
(function () {
  "use strict";
  var root = document.documentElement;
  var system = matchMedia("(prefers-color-scheme: dark)");
  function paint() {
    var choice = root.dataset.theme || (system.matches ? "dark" : "light");
    root.classList.toggle("dark-mode", choice === "dark");
  }
  system.addEventListener("change", paint);
  paint();
})();
