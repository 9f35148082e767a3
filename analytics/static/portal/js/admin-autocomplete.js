/* Names for the choosers of Django's admin: select2 gives them none, though the field has a label. */
window.addEventListener("load", function () {
  "use strict";
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const chooser = select.parentElement.querySelector(".select2-selection");
    const shown = select.parentElement.querySelector(".select2-selection__rendered");
    if (!label || !chooser || !shown) continue;
    label.id = `${select.id}-label`;
    shown.setAttribute("aria-labelledby", label.id);
    chooser.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  }
});
