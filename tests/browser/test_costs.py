"""The cost check in a real browser: wide and narrow, light and dark, with and without scripts, by keyboard."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from analytics import rollups
from analytics.models import ExchangeRate
from ingestion.models import LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests import make
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/o/acme/costs/"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
LONG = "mystery-" + "long-" * 20 + "<b>name</b>"


@pytest.fixture
def traffic(acme: Organization) -> Organization:
    """Forty requests a minute ago, all in one bucket of every chart; half of them have a price. A rate of euros."""
    started_at = timezone.now() - timedelta(minutes=1)
    make.price("gpt-5", "input", "1.25")
    make.price("gpt-5", "output", "10")
    records = [
        RequestRecord(
            request_id=f"call-{number}",
            started_at=started_at,
            model=("gpt-5", LONG)[number % 2],
            provider="openai",
            team=("Search", "Ads")[number % 3 % 2],
            input_tokens=1_000,
            output_tokens=100,
            latency_ms=900.0,
            status_code=200,
            reported_cost_usd=Decimal("0.003") if number % 2 == 0 else None,
        )
        for number in range(40)
    ]
    outcome = ingest_records(organization=acme, records=records, source="t", now=timezone.now(), past_days=None)
    assert outcome.accepted == 40
    long_ago = timezone.now() - timedelta(days=9)
    ExchangeRate.objects.create(organization=acme, currency="EUR", rate=Decimal("0.9213"), effective_from=long_ago)
    rollups.drain()
    return acme


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_says_what_has_no_price(
    traffic: Organization, owner: User, open_page: Open, width: int, scheme: str
) -> None:
    page = open_page(owner, PAGE, viewport={"width": width, "height": 800}, color_scheme=scheme)
    expect(page.locator(".costs-table tbody tr").first).to_contain_text(LONG)
    expect(page.locator(".costs-table tfoot")).to_contain_text("50.0 %")
    expect(page.locator(".counters")).to_contain_text("at least ≈")
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.locator(".costs-table tr").evaluate_all("all => Math.max(...all.map(row => row.clientHeight))") < 260


def test_a_filter_is_added_and_the_view_changes(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE)
    page.locator("#filter-add").click()
    page.locator("#filter-field").select_option("cost_state")
    page.locator("#filter-values-field .ts-control input").click()
    page.locator('.ts-dropdown [data-value="unpriced"]').click()
    page.locator("#filter-form [type=submit]").click()
    expect(page).to_have_url(re.compile("f=cost_state:eq:unpriced"))
    expect(page.locator(".costs-table tbody tr")).to_have_count(1)
    page.locator('#view-by [data-by="team"]').click()
    expect(page).to_have_url(re.compile("by=team"))
    expect(page.locator(".costs-table tbody tr")).to_have_count(2)
    page.locator(".chip-remove").click()
    expect(page.locator(".costs-table tfoot")).to_contain_text("40")


def test_the_custom_range_is_read_in_the_reporting_zone(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE)
    page.locator("#range-menu summary").click()
    page.fill("#range-from", "2020-01-01T00:00")
    page.fill("#range-to", "2020-01-02T00:00")
    page.locator("#range-form [type=submit]").click()
    expect(page).to_have_url(re.compile(r"from=2019-12-31T23:00:00Z&to=2020-01-01T23:00:00Z"))
    expect(page.locator("[data-state=nothing_in_range]")).to_be_visible()


def test_charts_say_at_least_and_leave_out_what_has_no_price(
    traffic: Organization, owner: User, open_page: Open
) -> None:
    hour = LLMRequest.objects.latest("started_at").started_at.replace(minute=0, second=0, microsecond=0)
    times = [(hour + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (-3, 1)]
    page = open_page(owner, "/o/acme/?by=team&interval=1+hour&from={}&to={}".format(*times))
    page.wait_for_selector('#dashboard[data-ready="true"]')
    panel = page.locator('[data-panel="cost"]')
    expect(panel.locator("[data-headline]")).to_contain_text("at least $")
    panel.locator("summary").click()
    panel.locator('[data-act="table"]').click()
    expect(panel.locator(".panel-table tbody")).to_contain_text("at least $")
    panel.locator("canvas").focus()
    page.keyboard.press("End")
    expect(page.locator("#live")).to_contain_text("at least $")
    page.goto(page.url.split("?")[0] + "?f=cost_state:eq:unpriced")
    page.wait_for_selector('#dashboard[data-ready="true"]')
    expect(panel.locator("[data-empty]")).to_have_text("Nothing in this range has a price")
    expect(panel.locator(".legend .value")).to_have_text("–")  # noqa: RUF001


@pytest.mark.parametrize("scripts", [True, False])
def test_the_dashboard_leads_here_and_back_to_the_requests(
    traffic: Organization, owner: User, open_page: Open, scripts: bool
) -> None:
    page = open_page(owner, "/o/acme/?by=team&from=now-6h", java_script_enabled=scripts)
    page.locator('[data-counter="cost"] .counter-notes a').click()
    expect(page).to_have_url(re.compile(r"/o/acme/costs/\?from=now-6h$"))
    page.locator(".costs-table tbody a.warn").first.click()
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("20")
    expect(page.locator('[data-counter="cost"] .counter-value .visually-hidden')).to_have_text("–")  # noqa: RUF001


def test_everything_is_reached_by_keyboard(traffic: Organization, owner: User, open_page: Open) -> None:
    page = open_page(owner, PAGE)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.textContent || '').replace(/\\s+/g, ' ').trim()"))
    assert {"Costs", "CSV", "Teams", "Filter", "Difference", LONG, "20", "Set a price openai"} <= reached


def test_a_badge_says_where_the_prices_come_from_and_leads_to_the_costs(
    traffic: Organization, owner: User, open_page: Open
) -> None:
    records = [
        RequestRecord(
            request_id=f"reported-{number}",
            started_at=timezone.now() - timedelta(minutes=2),
            model="priced-by-the-gateway",
            input_tokens=10,
            status_code=200,
            reported_cost_usd=Decimal("0.5"),
        )
        for number in range(10)
    ]
    ingest_records(organization=traffic, records=records, source="t", now=timezone.now(), past_days=None)
    page = open_page(owner, "/o/acme/?from=now-1h")
    page.wait_for_selector('#dashboard[data-ready="true"]')
    badge = page.locator("#trust a")
    expect(badge).to_have_text("40 % price book, 20 % reported by the gateway, 20 requests unpriced")
    page.goto(page.url + "&f=model:eq:gpt-5")
    page.wait_for_selector('#dashboard[data-ready="true"]')
    expect(badge).to_have_text("Every request priced by the price book")
    badge.click()
    expect(page).to_have_url(re.compile(r"/o/acme/costs/\?.*f=model:eq:gpt-5"))
