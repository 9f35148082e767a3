/** The example bill beside the form that prices a model: the server counts, this only asks and shows.
 *  Without this script the form's preview button shows the same. */
import { byId, h, replace } from "./dom.js";

const PAUSE = 350;
const MOST_UNITS = 12;
const form = byId("sheet");
const state = byId("bill-state");
let waiting = 0;
let running = null;

function number(text) {
  return h("td", { class: "number" }, text);
}

function example({ name, title, lines, total, note }) {
  const rows = lines.map((line) => h("tr", {}, h("th", { scope: "row" }, line.label), number(line.quantity), number(line.price), number(line.amount)));
  const foot = total && h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: 3 }, "Total"), number(total)));
  const head = ["Class", "Quantity", "USD per 1M", "Amount"].map((text, column) => h("th", { scope: "col", class: column > 0 && "number" }, text));
  return [
    h("table", { class: "example", data: { example: name } }, h("caption", {}, title), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows), foot || null),
    note && h("p", { class: "note" }, note),
  ];
}

function comparison({ label, words, catalogue, is_strange: strange }) {
  return h("li", { class: strange && "strange" }, h("strong", {}, label), `: ${words} `, catalogue && h("span", { class: "quiet" }, `Catalogue: ${catalogue}`));
}

function showBill({ examples, comparisons }) {
  const compared = comparisons.filter((one) => one.words || one.catalogue).map(comparison);
  replace(byId("bill"), compared.length ? h("ul", { class: "comparisons" }, compared) : null, examples.flatMap(example));
}

/** Text only where it changed: a screen reader repeats what is written again. */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** What is wrong stands at its field; of a field that is still empty nothing is said before it is sent. */
function showErrors(errors) {
  for (const place of form.querySelectorAll("[data-field]")) {
    const name = place.dataset.field;
    const typed = form.elements[name]?.value;
    const text = typed ? (errors[name] ?? []).join(" ") : "";
    place.classList.toggle("wrong", Boolean(text));
    write(byId(`error_${name}`), text);
  }
}

function show({ errors, taken, bill }) {
  showErrors(errors);
  byId("replace-row").hidden = !taken && !form.elements.replace.checked;
  if (bill) showBill(bill);
  byId("bill").classList.toggle("stale", !bill);
  const fields = Object.keys(errors).some((name) => name !== "__all__");
  write(state, (errors.__all__ ?? []).join(" ") || (fields ? "The bill follows when every field can be read." : ""));
}

async function ask() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  try {
    const response = await fetch(form.dataset.bill, { method: "POST", body: new FormData(form), signal: mine.signal, headers: { Accept: "application/json" } });
    if (response.redirected) write(state, "You were signed out. Reload the page to sign in again.");
    else if (response.ok) show(await response.json());
    else write(state, `The server answered ${response.status}.`);
  } catch (error) {
    if (error.name !== "AbortError") write(state, "The portal cannot be reached. The bill is not up to date.");
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

function addUnit() {
  const rows = byId("units").children;
  const row = rows[0].cloneNode(true);
  for (const input of row.querySelectorAll("input")) input.value = "";
  byId("units").append(row);
  row.querySelector("input").focus();
  byId("add-unit").hidden = rows.length >= MOST_UNITS;
}

form.addEventListener("input", soon);
form.addEventListener("change", soon);
byId("add-unit").hidden = false;
byId("add-unit").addEventListener("click", addUnit);
// What was typed before this script was there.
if ([...new FormData(form)].some(([name, value]) => name.startsWith("price_") && value)) soon();
