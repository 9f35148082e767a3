"""The breakdown table in a real browser: changes and courses, also after the scripts fill it anew."""

import re

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests.browser.conftest import Open
from tests.browser.traffic import store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# What the server's page shows, to be shown the same by the scripts.
TABLE = """[...document.querySelectorAll(".breakdown-table tr")].map(row => [...row.cells].map(cell =>
  [cell.textContent.trim(), cell.classList.contains("bad") && cell.classList.contains("change"),
   cell.querySelector("polygon")?.getAttribute("points"), cell.querySelector("use")?.getAttribute("href")]))"""


def ready(page: Page) -> Page:
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def column(page: Page, label: str) -> list[str]:
    """Texts of a column, the total's last."""
    heads = page.locator(".breakdown-table thead th").all_text_contents()
    number = [head.strip() for head in heads].index(label) + 1
    cells = page.locator(f".breakdown-table :is(tbody, tfoot) tr > :nth-child({number})")
    return [text.strip() for text in cells.all_text_contents()]


def test_scripts_show_the_changes_and_courses_of_the_server(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    # Instants, so that both answers are about the same time.
    page = ready(open_page(owner, "/o/acme/?from=now-6h&interval=1+hour"))
    start, end = page.evaluate(
        "(({range}) => [range.start, range.end])(JSON.parse(document.getElementById('dashboard-data').textContent))"
    )
    path = f"/o/acme/?from={start}&to={end}&interval=1+hour&by=user&sort=-failure_rate"
    written = open_page(owner, path, java_script_enabled=False)
    drawn = ready(open_page(owner, path))
    # A page without scripts runs none from a test either: its markup is read where scripts run.
    read = "const document = new DOMParser().parseFromString(html, 'text/html'); return"
    expected = drawn.evaluate(f"html => {{ {read} {TABLE}; }}", written.content())
    assert drawn.evaluate(TABLE) == expected
    assert sum(bool(points) for row in expected for _, _, points, _ in row) == 5  # four users and the total


def test_the_table_is_sorted_by_change_and_keeps_its_courses_when_the_view_changes(
    acme: Organization, owner: User, open_page: Open
) -> None:
    store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-6h"))
    assert any(re.fullmatch(r"(up|down) [\d.]+ %|unchanged", words) for words in column(page, "Change of requests"))
    page.locator(".breakdown-table thead a", has_text="Cost").first.click()
    ready(page)
    page.locator(".breakdown-table thead a", has_text="Change of cost").click()
    expect(page).to_have_url(re.compile(r"sort=-change\.cost_usd"))
    expect(page.locator(".breakdown-table [aria-sort=descending]")).to_have_text("Change of cost")
    ready(page)
    page.locator('#view-by [data-by="team"]').click()
    expect(page.locator(".breakdown-table tbody")).to_contain_text("Search")
    ready(page)
    rows = page.locator(".breakdown-table :is(tbody, tfoot) tr")
    expect(rows).to_have_count(3)
    expect(rows.locator("svg.spark polygon")).to_have_count(3)
    courses = column(page, "Requests over time")
    assert all(re.match(r"Requests per .+: lowest \d+, highest \d+, last \d+$", words) for words in courses)
    expect(page.locator(".counter .spark")).to_have_count(4)


def test_a_rising_failure_rate_is_the_only_red_change(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = ready(open_page(owner, "/o/acme/?from=now-6h&sort=-failure_rate"))
    for cell in page.locator(".breakdown-table td.change").all():
        is_red = "bad" in (cell.get_attribute("class") or "")
        assert is_red is (cell.text_content() or "").strip().startswith(("up", "new"))
    page.locator(".breakdown-table thead a", has_text="Requests").first.click()
    expect(page.locator(".breakdown-table thead")).to_contain_text("Change of requests")
    expect(page.locator(".breakdown-table td.change.bad")).to_have_count(0)
    ready(page)


def test_every_column_fits_a_usual_screen(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme, suffix="-with-a-long-name")
    path = "/o/acme/?by=user&from=now-6h"
    wide = open_page(owner, path, viewport={"width": 1440, "height": 900})
    for page in (
        ready(wide),
        open_page(owner, path, viewport={"width": 1440, "height": 900}, java_script_enabled=False),
    ):
        room, needed = page.locator("#breakdown .table-scroll").evaluate("one => [one.clientWidth, one.scrollWidth]")
        assert needed <= room
    # So do long numbers; amounts that are "at least" that much take a second line instead of more room.
    wide.locator(".breakdown-table :is(tbody, tfoot) tr").evaluate_all(
        """rows => rows.forEach(({cells}) => {
          cells[1].textContent = '1,234,567';
          for (const tokens of [cells[9], cells[10]]) tokens.textContent = '1,234,567,890';
          for (const amount of [cells[11], cells[12]]) amount.textContent = 'at least $12,345.67';
          cells[13].textContent = 'down 100.0 %';
        })"""
    )
    assert "amount" in (wide.locator(".breakdown-table tbody td:nth-child(12)").first.get_attribute("class") or "")
    room, needed = wide.locator("#breakdown .table-scroll").evaluate("one => [one.clientWidth, one.scrollWidth]")
    assert needed <= room
