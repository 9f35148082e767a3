"""Single requests in a real browser: from a chart to the list to one of them, narrow and wide, light and dark."""

import re

import pytest
from playwright.sync_api import Page, expect

from analytics import rollups
from teams.models import Organization, User
from tests.browser.conftest import Open
from tests.browser.traffic import COUNT, store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/o/acme/requests/?from=now-2d"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
TALLEST = "rows => Math.max(...rows.map((row) => row.clientHeight))"
LONG = "-" + "long" * 12


@pytest.fixture
def traffic(acme: Organization) -> Organization:
    store(acme, suffix=LONG)
    rollups.drain()
    return acme


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_and_request_fit(traffic: Organization, owner: User, open_page: Open, width: int, scheme: str) -> None:
    page = open_page(owner, PAGE, viewport={"width": width, "height": 800}, color_scheme=scheme)
    expect(page.locator(".requests-table tbody tr")).to_have_count(50)
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.locator(".requests-table tr").evaluate_all(TALLEST) < 150
    page.locator(".requests-table tbody tr", has_text="429").first.locator("a").first.click()
    expect(page.locator("h1")).to_have_text(re.compile("call-"))
    expect(page.locator(".request-cards .card")).to_have_count(4)
    assert page.evaluate(TOO_WIDE) <= 0


def test_pages_and_filters(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE)
    expect(page.locator(".dash-head")).to_contain_text(f"{COUNT} requests, {COUNT // 9} failed")
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Newer").click()
    page.get_by_role("link", name="Failed only").click()
    expect(page.locator(".requests-table tbody tr")).to_have_count(COUNT // 9)
    page.locator("#filter-add").click()
    page.locator("#filter-field").select_option("model")
    page.locator("#filter-values-field .ts-control input").click()
    page.locator('.ts-dropdown [data-value="gpt-5"]').click()
    page.locator("#filter-form [type=submit]").click()
    expect(page).to_have_url(re.compile("f=failed:eq:true&f=model:eq:gpt-5"))
    expect(page.locator(".requests-table tbody tr")).to_have_count(COUNT // 9)
    page.locator(".chip-remove").last.click()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".dash-head")).to_contain_text(f"{COUNT} requests")


def test_another_question_begins_with_its_newest_requests(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE)
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("place="))
    page.locator("#filter-add").click()
    page.locator("#filter-field").select_option("model")
    page.locator("#filter-values-field .ts-control input").click()
    page.locator('.ts-dropdown [data-value="gpt-5"]').click()
    page.locator("#filter-form [type=submit]").click()
    expect(page).to_have_url(re.compile(r"\?from=now-2d&f=model:eq:gpt-5$"))
    expect(page.locator(".requests-table tbody tr")).to_have_count(50)


def bucket_of(page: Page, panel: str) -> None:
    """Pin the crosshair in the middle of a panel."""
    canvas = page.locator(f'[data-panel="{panel}"] canvas')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)


def test_a_point_leads_to_its_requests(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, "/o/acme/?by=team&interval=1+hour&f=model:eq:gpt-5")
    page.wait_for_selector('#dashboard[data-ready="true"]')
    bucket_of(page, "requests_per_second")
    page.get_by_role("link", name="Open the requests").click()
    expect(page).to_have_url(re.compile(r"/o/acme/requests/\?from=20\S+Z&to=20\S+Z&f=model:eq:gpt-5$"))
    rows = page.locator(".requests-table tbody tr")
    expect(rows.first).to_contain_text("gpt-5")
    assert rows.count() <= 4  # one every 24 minutes


def test_what_failed_leads_to_the_requests_that_did(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, "/o/acme/?by=team&from=now-2d")
    page.wait_for_selector('#dashboard[data-ready="true"]')
    page.locator('[data-counter="requests"] .counter-notes a').click()
    expect(page.locator(".requests-table tbody tr")).to_have_count(COUNT // 9)
    expect(page.locator(".chip")).to_contain_text("true")


def test_without_scripts_the_list_and_its_links_work(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE, java_script_enabled=False)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".requests-table tbody tr")).to_have_count(50)
    page.locator(".requests-table tbody a").first.click()
    expect(page.locator("#bill-title")).to_have_text("Cost")
