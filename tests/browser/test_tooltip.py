"""What the box at the crosshair says of each chart besides its values."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = r"\d+ requests?"
TIME = r"[\d.]+ m?s"
SHARE = r"[\d.]+ %"
BESIDE = {
    "requests_per_second": COUNT,
    "failure_rate": rf"\d+ of {COUNT}",
    "failures_by_error_type": SHARE,
    "failure_rate_by_status_code": COUNT,
    "latency": rf"n = \d+ · {TIME} to {TIME}",
    "ttft": r"n = \d+",
    "itl": r"n = \d+",
    "tpot": r"n = \d+ · \d+ streaming",
    "cost": rf"{SHARE} · {COUNT}",
    "input_tokens": SHARE,
    "output_tokens": SHARE,
}


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic in four buckets that all have some of everything."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?by=team&from=now-18h&interval=1+hour&pop=all"))


def test_every_chart_says_of_how_many_its_values_are(page: Page) -> None:
    for name, words in BESIDE.items():
        canvas = page.locator(f'[data-panel="{name}"] canvas')
        canvas.focus()
        # The newest bucket may be too young: back from it until there is a value.
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
            if page.locator(".tooltip .extra").count():
                break
        expect(page.locator(".tooltip .extra").first).to_have_text(re.compile(f"^{words}$"))
        page.keyboard.press("Escape")


def test_percentiles_say_whose_requests_they_are_of(page: Page) -> None:
    for name, words in (("latency", "P50 of all requests"), ("ttft", "P50 of all requests, streaming only")):
        page.locator(f'[data-panel="{name}"] canvas').focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".tooltip-foot")).to_contain_text(words)
        page.keyboard.press("Escape")


def test_what_was_cached_thought_measured_and_not_priced_is_named(
    acme: Organization, owner: User, open_page: Open
) -> None:
    now = timezone.now()
    records = [
        RequestRecord(
            request_id=f"call-{number}",
            started_at=now - timedelta(minutes=30 + number),
            model="gpt-5",
            input_tokens=1000,
            output_tokens=100,
            cache_read_tokens=400,
            reasoning_tokens=60,
            status_code=200,
            latency_ms=2000.0,
            ttft_ms=500.0 if number else None,
            itl_ms=11.0 if number == 1 else None,
            streaming=number > 0,
            reported_cost_usd=Decimal("0.5") if number else None,
        )
        for number in range(3)
    ]
    ingest_records(organization=acme, records=records, source="test", now=now, past_days=None)
    page = ready(open_page(owner, "/o/acme/?from=now-24h&interval=1+day"))
    for name, words in (
        ("input_tokens", r"100\.0 % · [\d.]+k? cached"),
        ("output_tokens", r"100\.0 % · \d+ reasoning"),
        ("cost", r"100\.0 % · \d requests? · 1 unpriced"),
        ("itl", r"n = \d · 1 reported by the gateway"),
        ("tpot", r"n = \d · (\d streaming · )?1 not streaming"),
    ):
        page.locator(f'[data-panel="{name}"] canvas').focus()
        said = []
        for key in ("Home", "End"):  # the hour before may lie in the day before
            page.keyboard.press(key)
            said += page.locator(".tooltip .extra").all_text_contents()
        assert any(re.fullmatch(words, one) for one in said), said
        page.keyboard.press("Escape")
