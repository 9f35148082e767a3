"""The figures of the dashboard in a browser: first chart, View by, bytes, redrawing, memory over 200 refreshes.

PORTAL_PASSWORD=... python -m benchmarks.browser http://127.0.0.1:8000 EMAIL > figures.md
"""

import json
import statistics
import sys
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Page, Route

from benchmarks import visitor
from benchmarks.clock import say
from benchmarks.machine import hardware
from benchmarks.markdown import Bar, table, verdict

READY: Final = '#dashboard[data-ready="true"]:not(.is-loading)'
VIEWS: Final = ("virtual_model", "user", "virtual_account", "team", "model")
PANELS, GROUPS, POINTS = 12, 12, 200
FRAME: Final = 16
WARM: Final = 20
STOPS: Final = 4
# The first stroke on a canvas that stands in the page is the first line of a chart.
FIRST_CHART: Final = """(() => {
  const { stroke, fillRect } = CanvasRenderingContext2D.prototype;
  const seen = (context) => {
    if (!window.firstChart && context.canvas.isConnected) window.firstChart = performance.now();
  };
  CanvasRenderingContext2D.prototype.stroke = function (...path) { seen(this); return stroke.apply(this, path); };
  CanvasRenderingContext2D.prototype.fillRect = function (...box) { seen(this); return fillRect.apply(this, box); };
  new PerformanceObserver((list) => { window.largest = list.getEntries().at(-1).startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
})()"""
# From the click until the page says that every chart is drawn, and the frame after it.
CLICKED: Final = """selector => new Promise((done) => {
  const dashboard = document.getElementById("dashboard");
  const started = performance.now();
  document.querySelector(selector).click();
  const look = () => {
    if (dashboard.dataset.ready === "true" && !dashboard.classList.contains("is-loading"))
      return requestAnimationFrame(() => done(performance.now() - started));
    setTimeout(look, 2);
  };
  look();
})"""
TWELFTH: Final = """document.addEventListener("readystatechange", () => {
  const panel = document.querySelector('[data-panel="cost"]');
  if (document.readyState !== "interactive" || !panel) return;
  const another = panel.cloneNode(true);
  another.dataset.panel = "twelfth";
  panel.after(another);
})"""


@dataclass(frozen=True, slots=True)
class Load:
    """One visit with an empty cache: milliseconds since navigation, and bytes as they were transferred."""

    first_chart: float
    largest_paint: float
    transferred: float


@dataclass(frozen=True, slots=True)
class Redraw:
    """Milliseconds of scripting from the answer until all charts are drawn, and of the hidden tables afterwards."""

    charts: float
    tables: float


@dataclass(frozen=True, slots=True)
class Held:
    """What the page holds after a garbage collection."""

    heap: float
    nodes: int
    listeners: int


def metrics(session: CDPSession) -> dict[str, float]:
    """The browser's own counters of the page."""
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def scripting(session: CDPSession) -> list[tuple[float, float]]:
    """Samples of scripts and garbage collection: milliseconds since the first, and how many each stands for."""
    profile = session.send("Profiler.stop")["profile"]
    outside = {one["id"] for one in profile["nodes"] if one["callFrame"]["functionName"] in ("(program)", "(idle)")}
    ends = accumulate(profile["timeDeltas"])
    samples = zip(profile["samples"], ends, profile["timeDeltas"], strict=True)
    found = [(end / 1000, delta / 1000) for node, end, delta in samples if node not in outside]
    return [(end - found[0][0], length) for end, length in found]


def load(context: BrowserContext, address: str) -> Load:
    """Open the page with an empty cache."""
    page = context.new_page()
    page.add_init_script(FIRST_CHART)
    session = context.new_cdp_session(page)
    transferred: list[float] = []
    session.on("Network.loadingFinished", lambda event: transferred.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    page.goto(address)
    page.wait_for_selector(READY)
    page.wait_for_load_state("networkidle")
    chart, largest = page.evaluate("[window.firstChart, window.largest]")
    page.close()
    return Load(chart, largest, sum(transferred))


def switches(context: BrowserContext, address: str) -> list[float]:
    """Milliseconds of each switch of View by, every view in turns."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(READY)
    found = []
    for turn in range(WARM):
        page.wait_for_timeout(500)  # hidden tables are written when the page has nothing else to do
        found.append(page.evaluate(CLICKED, f'#view-by [data-by="{VIEWS[turn % len(VIEWS)]}"]'))
    page.close()
    return found


def widened(answer: dict[str, Any], turn: int) -> dict[str, Any]:
    """The answer with 12 panels of 12 series and 200 points each: other values and legends at each turn."""
    start, end = answer["buckets"]["starts"][0], answer["buckets"]["end"]
    starts = [start + (end - start) * index // POINTS for index in range(POINTS)]
    answer["buckets"] |= {"starts": starts, "partial_from": None}
    answer["groups"] = [{"label": f"model-{number}", "kind": "value", "filter": None} for number in range(GROUPS)]
    if len(answer["panels"]) < PANELS:
        answer["panels"].append(
            next(panel for panel in answer["panels"] if panel["name"] == "cost") | {"name": "twelfth"}
        )
    for panel in answer["panels"]:
        for part in panel["percentiles"].values() if panel.get("percentiles") else [panel]:
            sample = part["series"][0]
            part["series"] = [
                sample
                | {"group": number, "values": [((index + turn) * (number + 3)) % 97 / 7 for index in range(POINTS)]}
                | {"range": turn + number, "range_text": None}
                | {name: None for name in ("at_least", "previous") if name in sample}
                for number in range(GROUPS)
            ]
    return answer


def redraws(context: BrowserContext, address: str) -> tuple[list[Redraw], list[float]]:
    """Refresh with a large answer, another one each time: nothing may be spared because it was drawn before."""
    page = context.new_page()
    page.add_init_script(TWELFTH)
    answers: list[str] = []

    def answer(route: Route) -> None:
        answers.append(answers[0] if answers else route.fetch().text())
        large = widened(json.loads(answers[0]), len(answers))
        route.fulfill(body=json.dumps(large), content_type="application/json")

    page.route("**/data*", answer)
    page.goto(address)
    page.wait_for_selector(READY)
    session = context.new_cdp_session(page)
    session.send("Profiler.enable")
    found = [redraw(page, session) for _ in range(WARM + 2)]
    if page.locator('[data-panel="twelfth"] .legend button').count() != GROUPS:
        raise RuntimeError("the large answer was not drawn")
    moved = moves(page, session)
    page.close()
    return found[2:], moved


def redraw(page: Page, session: CDPSession) -> Redraw:
    """One refresh: scripting until the charts stand, and until the page rests."""
    session.send("Profiler.start")
    drawn = page.evaluate(CLICKED, "#refresh")
    page.wait_for_timeout(1_500)
    samples = scripting(session)
    charts = sum(length for at, length in samples if at <= drawn)
    return Redraw(charts, sum(length for _, length in samples) - charts)


def moves(page: Page, session: CDPSession) -> list[float]:
    """Scripting of each move of the pointer over a chart, with every panel in the window."""
    page.set_viewport_size({"width": 1350, "height": 3200})
    box = page.locator('[data-panel="latency"] canvas').bounding_box()
    if box is None:
        raise RuntimeError("the chart is not there")
    found = []
    for step in range(WARM + 2):
        session.send("Profiler.start")
        page.mouse.move(box["x"] + 80 + 20 * step, box["y"] + 80)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found.append(sum(length for _, length in scripting(session)))
    return found[2:]


def held(page: Page, session: CDPSession) -> Held:
    """Heap, nodes and listeners, after everything that can go has gone."""
    page.evaluate("new Promise((done) => requestIdleCallback(done))")  # after the hidden tables, which wait for it too
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    found = metrics(session)
    return Held(found["JSHeapUsedSize"] / 2**20, int(found["Nodes"]), int(found["JSEventListeners"]))


def growth(context: BrowserContext, address: str, refreshes: int) -> list[Held]:
    """What the page holds after ten refreshes, and at four marks on the way to so many more."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(READY)
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    after = []
    for count in (10, *[refreshes // STOPS] * STOPS):
        for _ in range(count):
            page.evaluate(CLICKED, "#refresh")
        after.append(held(page, session))
    page.close()
    return after


def middle(values: list[float], unit: str = "ms") -> str:
    """The median, and the fastest: on a machine with other work the one that was disturbed least."""
    return f"{statistics.median(values):,.0f} {unit} (fastest {min(values):,.0f})"


def bars(loads: list[Load], views: list[float], drawn: list[Redraw]) -> list[Bar]:
    """What must hold of times and bytes, and what was found; medians count."""
    charts, redrawn = [one.first_chart for one in loads], [one.charts for one in drawn]
    size = max(one.transferred for one in loads) / 1000
    paints, tables = middle([one.largest_paint for one in loads]), middle([one.tables for one in drawn])
    met = [statistics.median(times) < bar for times, bar in ((charts, 1000), (views, 500), (redrawn, 100))]
    shape = f"{PANELS} panels of {GROUPS} series and {POINTS} points"
    return [
        ("first chart drawn below 1 s", f"{middle(charts)}; largest paint {paints}", verdict(met[0])),
        ("below 350 kB transferred on first load", f"{size:,.0f} kB", verdict(size < 350)),
        ("View by switched below 500 ms", middle(views), verdict(met[1])),
        (
            f"{shape} redrawn within 100 ms of scripting",
            f"{middle(redrawn)}; hidden tables, when the page rests, {tables}",
            verdict(met[2]),
        ),
    ]


def bar_of_growth(after: list[Held], refreshes: int) -> Bar:
    """Less than a mebibyte is the browser's own keeping; a page that leaks a table loses more at each refresh."""
    first, last = after[0], after[-1]
    nodes, listeners = last.nodes - first.nodes, last.listeners - first.listeners
    heaps = ", ".join(f"{one.heap:.1f}" for one in after)
    measured = f"heap {heaps} MiB after each quarter, nodes {nodes:+d}, listeners {listeners:+d}"
    is_flat = last.heap - first.heap < 1 and nodes <= 0 and listeners <= 0
    return (f"no growth over {refreshes} refreshes", measured, verdict(is_flat))


def bar_of_crosshair(moves: list[float]) -> Bar:
    """A frame of 60 in a second."""
    return (
        f"crosshair over {PANELS} panels moved within 16 ms of scripting",
        middle(moves),
        verdict(statistics.median(moves) < FRAME),
    )


def main() -> int:
    """Measure, print the page."""
    parser = visitor.arguments("browser", "Figures of the dashboard in a browser.")
    parser.add_argument("--refreshes", type=int, default=200, help="for the growth of memory, default 200")
    chosen = parser.parse_args()
    address = f"{chosen.url}/o/{chosen.organization}/"
    machine = hardware()
    with visitor.signed_in(chosen) as context:
        say(f"loads of {urlsplit(address).path}")
        loads = [load(context, address) for _ in range(7)]
        say("View by")
        views = switches(context, address)
        say("redraws")
        drawn, moved = redraws(context, address)
        say("memory")
        after = growth(context, address, chosen.refreshes)
    rows = [*bars(loads, views, drawn), bar_of_crosshair(moved), bar_of_growth(after, chosen.refreshes)]
    sys.stdout.write(table(["machine", ""], machine) + "\n\n" + table(["bar", "measured", ""], rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
