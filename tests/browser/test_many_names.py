"""Two thousand users: nothing is left out, nothing of it is more than a page, a menu or a legend can hold."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from analytics import rollups
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests.browser.conftest import Open
from tests.browser.test_dashboard import counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 2_000


def store(organization: Organization) -> None:
    """One request of each user, all in the hour before last; the cost falls from the first to the last."""
    started_at = timezone.now() - timedelta(hours=2)
    records = [
        RequestRecord(
            request_id=f"call-{number}",
            started_at=started_at,
            model="gpt-5",
            user=f"user-{number:04}",
            input_tokens=10,
            output_tokens=1,
            latency_ms=1_000.0,
            status_code=200,
            reported_cost_usd=Decimal(3_000 - number) / 1_000,
        )
        for number in range(COUNT)
    ]
    outcome = ingest_records(
        organization=organization, records=records, source="test", now=timezone.now(), past_days=None
    )
    assert outcome.accepted == COUNT
    rollups.drain()


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open, settings: Settings) -> Page:
    """Users of six hours, most expensive first."""
    settings.INGEST_NEW_VALUES_PER_HOUR = COUNT
    store(acme)
    return ready(open_page(owner, "/o/acme/?by=user&from=now-6h&interval=1+hour&sort=-cost_usd"))


@pytest.mark.slow  # two thousand names are stored and rolled up
def test_two_thousand_users(page: Page) -> None:
    # The table has all of them, on pages; its total is that of the counters on every page.
    names = page.locator(".breakdown-table tbody th")
    expect(page.locator("#breakdown")).to_contain_text("Page 1 of 80")
    assert names.all_text_contents() == [f"user-{number:04}" for number in range(25)]
    page.locator(".pager").get_by_role("link", name="Next").click()
    expect(names).to_have_text([f"user-{number:04}" for number in range(25, 50)])
    ready(page)
    page.goto(f"{page.url.split('&page=')[0]}&page=80")
    ready(page)
    assert names.all_text_contents() == [f"user-{number:04}" for number in range(1_975, COUNT)]
    assert page.locator(".pager").get_by_role("link", name="Next").count() == 0
    assert page.locator(".breakdown-table tfoot td").first.text_content() == counted(page, "requests") == "2,000"

    # A legend names the eleven largest and how many the others are, last, and together they are all.
    entries = page.locator('[data-panel="input_tokens"] [data-legend] button')
    assert entries.count() == 12
    assert entries.last.locator(".name").text_content() == "Other (1,989)"
    shown = [int(text.replace(",", "")) for text in entries.locator(".value").all_text_contents()]
    assert sum(shown) == 20_000 == int(counted(page, "input_tokens").replace(",", ""))
    names_of_cost = page.locator('[data-panel="cost"] [data-legend] .name').all_text_contents()
    assert names_of_cost == [*(f"user-{number:04}" for number in range(11)), "Other (1,989)"]

    # All of the legend is seen without scrolling inside of it; so is all of a tooltip, which has twelve rows at most.
    legend = page.locator('[data-panel="cost"] [data-legend]')
    assert legend.evaluate("list => list.scrollHeight - list.clientHeight") <= 0
    page.locator('[data-panel="cost"] canvas').focus()
    for key in ("End", *["ArrowLeft"] * 4):
        page.keyboard.press(key)
        if page.locator(".tooltip-row .value", has_text="$").count() > 3:
            break
    rows = page.locator(".tooltip > .tooltip-row .name").all_text_contents()
    assert rows[0] in ("Other (1,989)", "user-0000")
    assert len(rows) <= 12
    page.keyboard.press("Escape")

    # A menu offers fifty, and finds any other one by what is typed.
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("user")
    page.locator("#filter-values-field .ts-control input").click()
    options = page.locator(".ts-dropdown .option")
    expect(options).to_have_count(50)
    expect(options.first).to_contain_text(re.compile(r"user-\d{4}\s*\d+ \w+ \d\d:\d\d"))
    page.locator("#filter-values-field .ts-control input").fill("user-1789")
    expect(page.locator('.ts-dropdown .option[data-value="user-1789"]')).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#filter-dialog [data-close]").first.click()

    # The file has all of them, and the preview says so.
    page.keyboard.press("e")
    expect(page.locator("#export-rows")).to_have_text("First 10 of 2,000 rows")
    expect(page.locator("#export-preview tbody tr")).to_have_count(10)
    page.keyboard.press("Escape")

    # A value that is not among the largest is isolated by a filter, in one click of the table.
    page.locator(".breakdown-table tbody a", has_text="user-1999").click()
    expect(page.locator(".chip")).to_contain_text("user-1999")
    ready(page)
    assert counted(page, "requests") == "1"
