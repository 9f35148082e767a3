/** Elements made of text: nothing here parses HTML, so no value from outside can become markup. */

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element with attributes, listeners (`on`), data attributes (`data`) and children: elements or text. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** An icon of the sprite. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `${document.body.dataset.icons}#${name}` }));
}

/** The element with that id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Give an element new children. */
export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/** Give an element another text: one that has it already is left alone, so that nothing has to be laid out anew. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Offer a blob as a file. */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Put text on the clipboard and say so on the button for a moment; false when the browser refuses. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

let speaking = 0;

/** Say something through the live region; a second sentence within 400 ms replaces the first. */
export function say(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    byId("live").textContent = text;
  }, 400);
}

/** A link inside the page: followed without a page load, and an ordinary link when opened in a new tab. */
export function goLink(href, properties, ...children) {
  return h("a", { href, "data-go": true, ...properties }, ...children);
}

/** Close buttons and clicks on the backdrop close a dialog. */
export function closable(dialog) {
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
