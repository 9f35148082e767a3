"""Statements in a real browser: listed, opened and downloaded, in light and dark, on a phone."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from analytics.chargeback import months
from analytics.chargeback.closing import close
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, ReportRecipient, Team, User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "a-model-with-a-name-that-nobody-would-want-to-read-on-a-phone-2026-11-24"
HOSTILE = "<img src=x onerror=alert(1)>"
BRIGHTNESS = """element => {
  const [r, g, b] = getComputedStyle(element).backgroundColor.match(/[0-9.]+/g).map(Number);
  return (r + g + b) / 3;
}"""


def record(number: int, team: str | None, model: str, usd: str | None, started_at: datetime) -> RequestRecord:
    return RequestRecord(
        request_id=f"call-{number}",
        started_at=started_at,
        model=model,
        team=team,
        input_tokens=1_234_567,
        output_tokens=89_012,
        latency_ms=900.0,
        status_code=200,
        reported_cost_usd=Decimal(usd) if usd else None,
    )


@pytest.fixture
def month(acme: Organization, search: Team) -> str:
    """The month before this one, closed: three teams and a remainder, every kind of figure. Its name."""
    ReportRecipient.objects.create(team=search, email="somebody.with.a.rather.long.address@search.acme.example")
    now = datetime.now(UTC)
    last = months.preceding(months.month_of(now, acme))
    moment = months.borders(acme, last).start + timedelta(days=3)
    used = [
        ("Search", "gpt-5", "12345.678901234567"),
        ("Search", LONG, "0.25"),
        ("Search", "mystery", None),
        (HOSTILE, HOSTILE, "1.5"),
        ("Labs", "mystery", None),
        (None, "gpt-5", "0.01"),
    ]
    records = [record(number, *one, moment) for number, one in enumerate(used)]
    outcome = ingest_records(organization=acme, records=records, source="test", now=now, past_days=None)
    assert outcome.accepted == len(used)
    close(organization=acme, month=last, now=now)
    return months.name_of(last)


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return found


def open_list(open_page: Open, person: User, **options: object) -> Page:
    page = open_page(person, "/o/acme/", **options)
    page.locator(".topbar-nav a", has_text="Statements").click()
    expect(page.locator("h1")).to_have_text("Statements")
    return page


def test_from_the_list_to_a_statement_and_its_file(month: str, owner: User, open_page: Open, tmp_path: Path) -> None:
    page = open_list(open_page, owner)
    card = page.locator(".statement-month", has_text=month)
    expect(card.locator(".badge")).to_have_text("closed")
    expect(card.locator("tbody th")).to_have_text([HOSTILE, "Labs", "Search", "Unassigned"])
    expect(card.locator(".statement-total strong")).to_have_text("at least $12,347.44")

    card.get_by_role("link", name="Search").click()
    expect(page.locator("h1")).to_have_text("Search")
    total = page.locator("tfoot td").last
    expect(total).to_have_text("at least $12,345.93")
    assert total.get_attribute("title") == "exactly 12345.928901234567 USD"
    expect(page.locator("#mails ~ div tbody td").nth(1)).to_have_text("Pending")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "statement.csv")
    with (tmp_path / "statement.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["model"], row["cost_usd"]) for row in rows] == [
        ("usage", "gpt-5", "12345.68"),
        ("usage", LONG, "0.25"),
        ("usage", "mystery", ""),
        ("total", "", "12345.93"),
    ]
    assert download.value.suggested_filename == f"statement-{rows[0]['statement']}.csv"

    page.get_by_label("Breadcrumb").get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("Statements")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_statements_fit_in_light_and_dark(month: str, owner: User, open_page: Open, width: int, scheme: str) -> None:
    page = open_list(open_page, owner, viewport={"width": width, "height": 800}, color_scheme=scheme)
    for name in (None, "Search", HOSTILE):
        if name:
            page.get_by_role("link", name=name).click()
            expect(page.locator("h1")).to_have_text(name)
        assert overflow(page) <= 0
        brightness = page.locator("section.card").first.evaluate(BRIGHTNESS)
        assert (brightness > 200) == (scheme == "light")
        if name:
            page.go_back()


def test_an_organization_without_statements_leads_to_its_metrics(
    acme: Organization, owner: User, open_page: Open
) -> None:
    page = open_list(open_page, owner)
    expect(page.locator("section.state h2")).to_have_text("No statement yet")
    page.locator("section.state").get_by_role("link", name="Metrics").click()
    expect(page.locator('[data-state="nothing_ingested"] h2')).to_have_text("Connect your gateway")
