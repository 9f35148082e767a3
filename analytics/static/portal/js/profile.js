/** The profile: what is saved there holds in this browser too, whatever its own switch was set to. */

document.getElementById("preferences").addEventListener("submit", () => {
  try {
    localStorage.removeItem("portal-theme");
  } catch {
    // Storage may be forbidden: then nothing is remembered there.
  }
});
