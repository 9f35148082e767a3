"""Annotations in a real browser: drawn in every chart, hidden, told, added, removed; text stays text."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from analytics.models import Annotation
from teams.models import Organization, Team, User
from tests.browser import traffic
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=alert(1)> & 'co' {{7*7}}"
# The lines that the annotation plugin has resolved and placed, per chart.
LINES = """() => [...document.querySelectorAll('[data-panel] canvas')].map((canvas) => {
  const chart = Chart.getChart(canvas);
  const all = Object.entries(chart.options.plugins.annotation.annotations);
  const found = all.filter(([name]) => name.startsWith('note-'));
  return found.map(([, one]) => [one.value, one.label.content]);
})"""


def ready(page: Page) -> Page:
    """Wait until every chart is drawn and nothing is asked any more."""
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def note(organization: Organization, text: str, hours: float = 6, **fields: Any) -> Annotation:
    at = timezone.now().replace(microsecond=0) - timedelta(hours=hours)
    return Annotation.objects.create(
        **({"organization": organization, "kind": "deploy", "at": at, "text": text} | fields)
    )


def lines(page: Page) -> Any:
    """Instant and sign of every line, chart by chart."""
    return ready(page).evaluate(LINES)


def test_a_line_is_drawn_in_every_chart_and_hidden_without_a_question(
    acme: Organization, owner: User, open_page: Open
) -> None:
    traffic.store(acme)
    first = note(acme, "search 4.2")
    end = first.at + timedelta(hours=3, minutes=30)
    second = note(acme, "429", 3, kind="incident", end=end)
    page = open_page(owner, "/o/acme/")
    expected = [[int(first.at.timestamp() * 1000), "D"], [int(second.at.timestamp() * 1000), "!"]]
    assert lines(page) == [expected] * 11
    expect(page.locator("#notes-list .note")).to_have_count(2)
    label = page.locator('[data-panel="latency"] canvas').get_attribute("aria-label") or ""
    assert ", 2 annotations." in label
    questions: list[str] = []
    page.on("request", lambda request: questions.append(request.url) if "/data" in request.url else None)
    page.locator('#notes-shown [data-notes="off"]').click()
    expect(page).to_have_url(re.compile("notes=off"))
    assert lines(page) == [[]] * 11
    expect(page.locator("#notes-list .note")).to_have_count(2)
    ready(page).reload()
    assert lines(page) == [[]] * 11
    page.locator('#notes-shown [data-notes="on"]').click()
    assert lines(page) == [expected] * 11
    assert [one for one in questions if "/data?" in one] == []


def test_a_line_is_there_as_pixels(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    row = note(acme, "search 4.2", kind="price_change")
    page = ready(open_page(owner, "/o/acme/"))
    # The sign is a filled box at the top of the line: its colour is in the canvas there, and nowhere when hidden.
    probe = """(at) => {
      const canvas = document.querySelector('[data-panel="latency"] canvas');
      const chart = Chart.getChart(canvas);
      const ratio = chart.currentDevicePixelRatio;
      const x = chart.scales.x.getPixelForValue(at);
      const {top} = chart.chartArea;
      const {data} = canvas.getContext('2d').getImageData((x - 6) * ratio, top * ratio, 12 * ratio, 16 * ratio);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b] = data.slice(i, i + 3);
        if (Math.abs(r - 0x8a) + Math.abs(g - 0x5a) + Math.abs(b) < 30 && data[i + 3] > 200) count += 1;
      }
      return count;
    }"""
    at = int(row.at.timestamp() * 1000)
    assert page.evaluate(probe, at) > 20
    hidden = ready(open_page(owner, "/o/acme/?notes=off"))
    assert hidden.evaluate(probe, at) == 0


def test_near_ones_share_a_line(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    for number, kind in enumerate(("deploy", "deploy", "incident", "routing_change", "other")):
        note(acme, kind, 6 - number / 60, kind=kind)
    found = lines(open_page(owner, "/o/acme/"))
    assert [sign for _, sign in found[0]] == ["D!R+"]


def test_keys_and_pointer_tell_what_happened(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    row = note(acme, HOSTILE)
    page = ready(open_page(owner, "/o/acme/"))
    canvas = page.locator('[data-panel="latency"] canvas')
    canvas.scroll_into_view_if_needed()
    at = int(row.at.timestamp() * 1000)
    place = canvas.evaluate("(one, at) => Chart.getChart(one).scales.x.getPixelForValue(at)", at)
    canvas.hover(position={"x": place, "y": 60})
    expect(page.locator(".tooltip .tooltip-note")).to_contain_text(f"Deploy {HOSTILE}")
    page.mouse.move(1, 1)
    canvas.focus()
    page.keyboard.press("End")
    for _ in range(60):
        if page.locator(".tooltip .tooltip-note").count():
            break
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#live")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x]").count() == 0


def test_the_form_adds_and_the_button_removes(acme: Organization, owner: User, search: Team, open_page: Open) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/?by=team"))
    expect(page.locator("#notes-none")).to_be_visible()
    page.locator("#annotate summary").click()
    assert page.locator("#annotate-at").input_value().startswith("20")
    page.select_option("#annotate-kind", "incident")
    page.select_option("#annotate-team", "Search")
    page.fill("#annotate-text", HOSTILE)
    page.fill("#annotate-link", "https://status.example/7")
    page.locator("#annotate-at").fill((timezone.localtime() - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M"))
    page.locator("#annotate-form [type=submit]").click()
    entry = page.locator("#notes-list .note")
    expect(entry).to_contain_text(f"Incident {HOSTILE}")
    expect(entry.locator("a")).to_have_attribute("rel", re.compile("noopener"))
    expect(page.locator("#live")).to_have_text("Saved.")
    row = Annotation.objects.get()
    assert (row.kind, row.team, row.created_by, row.link) == ("incident", search, owner, "https://status.example/7")
    assert [sign for _, sign in lines(page)[0]] == ["!"]
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("button", name="Delete the annotation").click()
    expect(page.locator("#notes-none")).to_be_visible()
    assert lines(page)[0] == []
    assert not Annotation.objects.exists()


def test_a_pinned_point_fills_the_time_in(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/"))
    canvas = page.locator('[data-panel="cost"] canvas')
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 200, "y": 80})
    start = canvas.evaluate("(one) => Chart.getChart(one).portalModel.axis.starts[Chart.getChart(one).portalIndex]")
    page.locator(".tooltip").get_by_role("button", name="Annotate").click()
    expect(page.locator("#annotate-text")).to_be_focused()
    expect(page.locator(".tooltip")).to_be_hidden()
    zoned = "(at) => luxon.DateTime.fromMillis(at, {zone: 'Europe/Berlin'}).toFormat(\"yyyy-LL-dd'T'HH:mm\")"
    expect(page.locator("#annotate-at")).to_have_value(page.evaluate(zoned, start))


def test_a_team_s_note_is_read_by_its_viewers_and_by_no_other_team(
    acme: Organization, search: Team, ads: Team, viewer: User, open_page: Open
) -> None:
    traffic.store(acme)
    note(acme, "ours", team=search)
    note(acme, "theirs", team=ads)
    page = open_page(viewer, "/o/acme/")
    assert len(lines(page)[0]) == 1
    expect(page.locator("#notes-list .note")).to_contain_text("ours")
    expect(page.locator("#annotate, #notes-list button")).to_have_count(0)
    canvas = page.locator('[data-panel="cost"] canvas')
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 200, "y": 80})
    expect(page.locator(".tooltip")).to_be_visible()
    expect(page.locator(".tooltip").get_by_role("button", name="Annotate")).to_have_count(0)


def test_without_scripts_the_form_and_the_list_work(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = open_page(owner, "/o/acme/?by=team", java_script_enabled=False)
    page.locator("#annotate summary").click()
    page.fill("#annotate-text", HOSTILE)
    page.locator("#annotate-at").fill((timezone.localtime() - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M"))
    page.locator("#annotate-form [type=submit]").click()
    expect(page).to_have_url(re.compile(r"/o/acme/\?by=team$"))
    expect(page.locator("#notes-list .note")).to_contain_text(HOSTILE)
    expect(page.locator("#messages")).to_contain_text(f"“{HOSTILE}” is noted.")
    page.get_by_role("button", name="Delete the annotation").click()
    expect(page.locator("#notes-list .note")).to_have_count(0)
    assert not Annotation.objects.exists()


def test_nothing_is_wider_than_a_narrow_window(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    note(acme, "W" * 200, link="https://x.example/" + "a" * 400)
    page = ready(open_page(owner, "/o/acme/", viewport={"width": 360, "height": 800}))
    page.locator("#annotate summary").click()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    size = page.get_by_role("button", name="Delete the annotation").bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 24


def test_a_range_without_requests_lists_what_happened(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    row = note(acme, "the gateway is down", 24 * 30, kind="incident")
    start, end = (f"{row.at + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-2, 2))
    path = f"/o/acme/?from={start}&to={end}"
    for options in ({}, {"java_script_enabled": False}):
        page = open_page(owner, path, **options)
        expect(page.locator('[data-state="nothing_in_range"]')).to_be_visible()
        expect(page.locator("#notes-list")).to_contain_text("the gateway is down")
        expect(page.locator("#notes-list")).to_be_visible()
        expect(page.locator("#breakdown")).to_be_hidden()
    page = ready(open_page(owner, path))
    page.locator('[data-state="nothing_in_range"] a').click()
    expect(page.locator("#breakdown")).to_be_visible()
    ready(page)


def test_before_anything_was_ingested_there_is_nothing_to_annotate(
    acme: Organization, owner: User, open_page: Open
) -> None:
    page = ready(open_page(owner, "/o/acme/"))
    expect(page.locator('[data-state="nothing_ingested"]')).to_be_visible()
    expect(page.locator("#annotations")).to_be_hidden()
