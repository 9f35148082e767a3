/** The curl command that asks the API for what a panel shows. */

import { byId, closable, copyText, say } from "./dom.js";

const PATH = "/api/v1/metrics/query";

/** The body of a panel's question; the percentile is switched in the browser, so it is put in here. */
export function bodyOf(questions, name, percentile) {
  const body = { ...questions.base, ...questions.panels[name] };
  const aggregations = body.aggregations.map((one) => (/^p\d+$/.test(one.type) ? { ...one, type: `p${percentile}` } : one));
  return { ...body, aggregations };
}

/** JSON of visible ASCII alone: what a terminal shows is what it sends. */
function plainJson(body) {
  return JSON.stringify(body).replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The command. Inside single quotes a shell changes nothing; a quote itself is written outside of them. */
export function command(origin, body) {
  const sent = plainJson(body).replaceAll("'", "'\\''");
  return `curl -sS '${origin}${PATH}' \\\n  -H "Authorization: Bearer $PORTAL_KEY" -H "Content-Type: application/json" \\\n  -d '${sent}'`;
}

/** Show the command of a panel. */
export function showCurl(title, body) {
  byId("curl-title").textContent = `${title} by API`;
  byId("curl-command").textContent = command(location.origin, body);
  byId("curl-dialog").showModal();
}

/** Wire the dialog. */
export function bindCurl() {
  closable(byId("curl-dialog"));
  byId("curl-copy").addEventListener("click", async () => {
    say((await copyText(byId("curl-command").textContent)) ? "Copied." : "The browser did not allow copying.");
  });
}
