"""What a chart draws of its series: each value at its place, gaps left open, bars on top of each other."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOUR = 3_600_000
START = 1_750_000_000_000 - 1_750_000_000_000 % HOUR
LINES, BARS = "requests_per_second", "input_tokens"
GROUPS = ("lower", "upper")
LOWER = [1, 2, 3, None, None, 2, None, 4, 4, 4]
UPPER = [8, 8, None, None, None, None, None, None, 2, 5]
PARTIAL = len(LOWER) - 1
# What is drawn at a bucket and a value: kind and colour of each line, area of bars, or dot.
MARKS = """([name, index, value]) => {
  const chart = Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`));
  const {model, marks} = chart.getDatasetMeta(0).controller;
  const times = model.form === "line" ? model.axis.starts : model.axis.middles;
  const [x, y] = [chart.scales.x.getPixelForValue(times[index]), chart.scales.y.getPixelForValue(value)];
  const probe = document.createElement("canvas").getContext("2d");
  const holds = ({path, width}) => {
    probe.lineWidth = width ?? 1;
    return path && (width ? probe.isPointInStroke(path, x, y) : probe.isPointInPath(path, x, y));
  };
  const kind = ({width, dash}) => width ? (dash.join() === "2,3" ? "unfinished" : "line") : "area";
  return marks.filter(holds).map((mark) => [kind(mark), mark.color]);
}"""
TOP = """name => Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`)).scales.y.max"""
PICTURE = "canvas => canvas.toDataURL()"
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def ready(page: Page) -> Page:
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def _known(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with two groups of known values in every panel."""
    starts = [START + index * HOUR for index in range(len(LOWER))]
    answer["buckets"] |= {"starts": starts, "end": starts[-1] + HOUR // 2, "partial_from": PARTIAL}
    answer["groups"] = [{"label": label, "kind": "value", "filter": None} for label in GROUPS]
    for panel in answer["panels"]:
        for part in panel["percentiles"].values() if panel.get("percentiles") else [panel]:
            part["series"] = [
                {"group": number, "values": values, "range": 1} for number, values in enumerate((LOWER, UPPER))
            ]
    return answer


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """The dashboard, refreshed with the known answer."""
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-24h&interval=1+hour", color_scheme="light"))

    def answer(route: Route) -> None:
        route.fulfill(body=json.dumps(_known(route.fetch().json())), content_type="application/json")

    page.route("**/data*", answer)
    page.locator("#refresh").click()
    expect(page.locator(f'[data-panel="{LINES}"] .legend button')).to_have_text(["lower1 /s", "upper1 /s"])
    return ready(page)


def kinds(page: Page, name: str, index: int, value: float) -> list[str]:
    return [kind for kind, _ in page.evaluate(MARKS, [name, index, value])]


def colours(page: Page, name: str, index: int, value: float) -> list[str]:
    return [colour for _, colour in page.evaluate(MARKS, [name, index, value])]


def test_a_line_goes_through_its_values_and_stops_at_gaps(page: Page) -> None:
    drawn = [[] if value is None else kinds(page, LINES, index, value) for index, value in enumerate(LOWER)]
    # Alone between two gaps is a dot; the last finished value begins the line of what still fills.
    expected = [["line"]] * 3 + [[], [], ["area"], [], ["line"], ["line", "unfinished"], ["unfinished"]]
    assert drawn == expected
    assert kinds(page, LINES, 3, 3 - 1 / 3) == []  # on the straight way from the value before the gap to the one after
    assert kinds(page, LINES, 6, 3) == []


def test_bars_stand_on_top_of_each_other(page: Page) -> None:
    [lower], [upper] = colours(page, BARS, 0, 0.5), colours(page, BARS, 0, 5)
    assert lower != upper
    assert colours(page, BARS, 0, 1.5) == [upper]
    assert colours(page, BARS, 0, 9.5) == []
    assert colours(page, BARS, 2, 2.5) == [lower]
    assert colours(page, BARS, 2, 3.5) == []
    assert colours(page, BARS, 3, 0.1) == []
    # What still fills is paler, and stacked all the same.
    [pale_lower], [pale_upper] = colours(page, BARS, PARTIAL, 2), colours(page, BARS, PARTIAL, 7)
    assert pale_lower == lower.replace("rgb(", "rgba(").replace(")", ", 0.45)")
    assert pale_upper == upper.replace("rgb(", "rgba(").replace(")", ", 0.45)")
    assert 10 <= page.evaluate(TOP, BARS) <= 12
    assert 8 <= page.evaluate(TOP, LINES) <= 10


def test_areas_lie_on_top_of_each_other_on_request(page: Page) -> None:
    panel = page.locator(f'[data-panel="{BARS}"]')
    [lower], [upper] = colours(page, BARS, 0, 0.5), colours(page, BARS, 0, 5)
    panel.locator("summary").focus()
    page.keyboard.press("Enter")
    draw = panel.locator(f'[data-area="{BARS}"]')
    draw.press("Enter")
    expect(page).to_have_url(re.compile(f"&area={BARS}$"))
    expect(draw).to_have_text("Draw bars")
    assert colours(page, BARS, 0, 0.5) == [lower]
    assert colours(page, BARS, 0, 5) == [upper]
    assert colours(page, BARS, 0, 9.5) == []
    # A bucket without tokens is one of 0: from the third to it the area falls.
    assert colours(page, BARS, 2, 2.5) == [lower]
    assert colours(page, BARS, 3, 0.1) == []
    assert colours(page, BARS, PARTIAL, 2) == [lower.replace("rgb(", "rgba(").replace(")", ", 0.45)")]
    assert 10 <= page.evaluate(TOP, BARS) <= 12
    page.go_back()
    expect(draw).to_have_text("Draw areas")
    # No other chart can be one, whatever the address says.
    page.evaluate("history.replaceState(null, '', location.search + '&area=latency&stack=latency&area=cost')")
    page.locator("#refresh").click()
    ready(page)
    form = 'name => Chart.getChart(document.querySelector(`[data-panel="${name}"] canvas`)).portalModel.form'
    assert [page.evaluate(form, name) for name in ("latency", "cost", BARS)] == ["line", "area", "stacked_bars"]


def test_what_is_not_shown_takes_no_place(page: Page) -> None:
    page.locator(f'[data-panel="{BARS}"] .legend button', has_text="upper").click()
    ready(page)
    [upper] = colours(page, BARS, 0, 0.5)
    assert colours(page, BARS, 0, 5) == [upper]
    assert colours(page, BARS, 0, 8.5) == []
    assert kinds(page, LINES, 2, 3) == []
    page.locator(f'[data-panel="{BARS}"] .legend button', has_text="lower").click()
    ready(page)
    assert page.evaluate(TOP, BARS) <= 5
    assert page.evaluate(TOP, LINES) <= 5
    pressed = page.locator(f'[data-panel="{BARS}"] .legend button[aria-pressed="true"]')
    assert pressed.all_text_contents() == ["lower1"]


def test_the_crosshair_leaves_the_chart_as_it_was(page: Page) -> None:
    canvas = page.locator(f'[data-panel="{LINES}"] canvas')
    canvas.scroll_into_view_if_needed()
    before = canvas.evaluate(PICTURE)
    box = canvas.bounding_box()
    assert box
    pictures = set()
    for share in (0.3, 0.6):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        page.evaluate(DRAWN)
        pictures.add(canvas.evaluate(PICTURE))
    assert len({before, *pictures}) == 3
    page.mouse.move(1, 1)
    page.evaluate(DRAWN)
    assert canvas.evaluate(PICTURE) == before
