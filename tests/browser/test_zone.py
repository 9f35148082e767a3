"""Times in the browser's own zone: labels change and say so, days, hours and numbers stay the organization's."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests.browser.conftest import Open
from tests.browser.traffic import store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BERLIN, ST_JOHNS = "Europe/Berlin", "America/St_Johns"  # 4 h 30 min apart, and an hour less in some weeks
PANEL = '[data-panel="requests_per_second"]'
STARTS = 'JSON.parse(document.getElementById("dashboard-data").textContent).buckets.starts'
TICKS = (
    "canvas => { const {x} = Chart.getChart(canvas).scales; return x.ticks.map(({value, label}) => [value, label]); }"
)


def ready(page: Page) -> Page:
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def tooltip(page: Page) -> str:
    """What the chart says about its first bucket."""
    page.locator(f"{PANEL} canvas").focus()
    page.keyboard.press("Home")
    return page.locator(".tooltip .tooltip-time").text_content() or ""


def written(milliseconds: int, zone: str, form: str) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, ZoneInfo(zone)).strftime(form)


def cells(page: Page) -> list[str]:
    return page.locator(".breakdown-table td, .counter-value").all_text_contents()


def test_times_are_written_in_the_browser_s_zone(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-24h&interval=1+hour", timezone_id=ST_JOHNS))
    questions: list[str] = []
    page.on("request", lambda request: questions.append(request.url) if "/data" in request.url else None)
    [_, start, *_] = starts = page.evaluate(STARTS)
    zone, plain = page.locator(".range-zone"), cells(page)
    expect(zone).to_have_text(f" · {BERLIN}")
    assert tooltip(page).endswith(BERLIN)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tooltip .tooltip-time")).to_contain_text(written(start, BERLIN, "%H:%M –"))  # noqa: RUF001

    page.locator("#range-menu summary").click()
    page.locator("#zone-choice").click()
    expect(page).to_have_url(re.compile("tz=viewer"))
    expect(zone).to_have_text(f" · {BERLIN}, times in {ST_JOHNS}")
    ready(page)
    assert tooltip(page).endswith(ST_JOHNS)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tooltip .tooltip-time")).to_contain_text(written(start, ST_JOHNS, "%H:%M –"))  # noqa: RUF001
    ticks = page.locator(f"{PANEL} canvas").evaluate(TICKS)
    forms = {written(value, ST_JOHNS, "%H:%M") for value, label in ticks if ":" in label}
    assert forms
    assert forms == {label for _, label in ticks if ":" in label}
    # The same numbers in the same buckets: nothing was asked.
    assert (questions, cells(page), page.evaluate(STARTS)) == ([], plain, starts)

    page.reload()
    ready(page)
    expect(zone).to_have_text(f" · {BERLIN}, times in {ST_JOHNS}")
    page.locator("#range-menu summary").click()
    expect(page.locator(".range-custom .menu-title")).to_have_text(f"Custom range, {BERLIN}")
    begins = datetime.fromtimestamp(starts[0] / 1000, ZoneInfo(BERLIN))
    assert (page.locator("#range-from").input_value())[:10] == f"{begins:%Y-%m-%d}"
    page.locator("#zone-choice").click()
    expect(zone).to_have_text(f" · {BERLIN}")
    expect(page).not_to_have_url(re.compile("tz="))
    ready(page)


def test_a_range_of_instants_and_its_days_are_written_in_that_zone(
    acme: Organization, owner: User, open_page: Open
) -> None:
    store(acme)
    path = "/o/acme/?from=now-5d&to=now&interval=1+day&tz=viewer"
    page = ready(open_page(owner, path, timezone_id=ST_JOHNS))
    page.locator('[data-move="earlier"]').first.click()  # instants instead of words
    expect(page).to_have_url(re.compile("tz=viewer"))
    ready(page)
    label = page.locator("[data-range-label]").text_content() or ""
    start = re.search(r"from=([^&]+)", page.url)
    assert start
    begins = datetime.fromisoformat(start[1]).astimezone(ZoneInfo(ST_JOHNS))
    assert label.startswith(f"{begins.day} {begins:%b %Y %H:%M} –")  # noqa: RUF001


def test_a_day_of_the_organization_has_hours_in_another_zone(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-5d&interval=1+day", timezone_id=ST_JOHNS))
    tooltip(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tooltip .tooltip-time")).to_have_text(re.compile(rf"^\w+ \d+ \w+ \d{{4}} {BERLIN}$"))
    page.goto(page.url + "&tz=viewer")
    ready(page)
    tooltip(page)
    page.keyboard.press("ArrowRight")
    words = re.compile(rf"^\w+ \d+ \w+, (19|20):30 – \w+ \d+ \w+, (19|20):30 {ST_JOHNS}$")  # noqa: RUF001
    expect(page.locator(".tooltip .tooltip-time")).to_have_text(words)


def test_a_zone_that_is_none_is_named_and_without_another_there_is_no_choice(
    acme: Organization, owner: User, open_page: Open
) -> None:
    store(acme)
    acme.zone = "Asia/Kolkata"
    acme.save()
    # The same zone under its old name, as browsers have it.
    page = ready(open_page(owner, "/o/acme/?tz=mars", timezone_id="Asia/Calcutta"))
    expect(page.locator("#messages")).to_contain_text("“tz” was 'mars'; it can be org, viewer. org is used.")
    page.locator("#range-menu summary").click()
    expect(page.locator("#zone-choice")).to_be_hidden()
