/* Names for the choosers of Django's admin: select2 gives them none, though the field has a label. */
(function () {
  "use strict";

  function name(select) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const chooser = select.parentElement.querySelector(".select2-selection");
    const shown = select.parentElement.querySelector(".select2-selection__rendered");
    if (!label || !chooser || !shown) return;
    label.id = `${select.id}-label`;
    shown.setAttribute("aria-labelledby", label.id);
    chooser.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  }

  // Behind the script that makes the choosers, which waits for jQuery's turn too.
  window.addEventListener("load", function () {
    window.django.jQuery(() => document.querySelectorAll("select.admin-autocomplete").forEach(name));
  });
})();
