/** Forms that a passkey completes: `data-passkey` is create or get, `data-options` names what the server asks for. */

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** The options as the browser wants them: bytes where JSON has text. */
function read(options) {
  const asked = { ...options, challenge: bytes(options.challenge) };
  if (options.user) asked.user = { ...options.user, id: bytes(options.user.id) };
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    asked[name] = (options[name] ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  }
  return asked;
}

/** What the browser answered, as JSON can carry it. */
function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

async function complete(form) {
  const { publicKey } = JSON.parse(document.getElementById(form.dataset.options).textContent);
  const asked = { publicKey: read(publicKey) };
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create(asked)
    : await navigator.credentials.get(asked);
  form.elements.credential.value = JSON.stringify(written(credential));
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const error = form.querySelector("[data-passkey-error]");
    error.hidden = true;
    complete(form).catch(() => {
      error.textContent = "The browser gave no passkey. Try again, or use another way.";
      error.hidden = false;
    });
  });
}
