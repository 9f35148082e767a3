"""What people come for, from the first click to the number: each journey as they go it, by mouse and by keys."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TABLE = ".breakdown-table"


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?from=now-24h"))


def column(page: Page, name: str) -> list[str]:
    """Texts of a column of the table, in the order of its rows."""
    heads = page.locator(f"{TABLE} thead th").all_text_contents()
    place = [head.strip() for head in heads].index(name) + 1
    return [text.strip() for text in page.locator(f"{TABLE} tbody tr > :nth-child({place})").all_text_contents()]


def milliseconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"ms": 1, "s": 1000}[unit]


def test_models_are_compared(page: Page) -> None:
    page.keyboard.press("4")
    page.locator(TABLE).get_by_role("link", name="Latency P99", exact=True).press("Enter")
    expect(page.locator(f'{TABLE} [aria-sort="descending"]')).to_contain_text("Latency P99")
    ready(page)
    expect(page.locator(f'{TABLE} [aria-sort="descending"] a')).to_be_focused()
    slowest = [milliseconds(one) for one in column(page, "Latency P99")]
    assert slowest == sorted(slowest, reverse=True)
    assert all(re.fullmatch(r"\$\d+\.\d+", one) for one in column(page, "Cost / 1,000"))
    names = page.locator('[data-panel="latency"] .legend button')
    names.nth(0).click()
    names.nth(1).click(modifiers=["Control"])
    expect(page).to_have_url(re.compile(r"p=99.*iso=.*iso="))
    expect(page.locator('[data-panel="cost"] .legend [aria-pressed="true"]')).to_have_count(2)
    ready(page)
    shared = page.url
    page.goto(shared)
    expect(page.locator('[data-panel="latency"] .legend [aria-pressed="true"]')).to_have_count(2)
    expect(page.locator('[data-panel="latency"] [data-note]')).to_contain_text("P99")
    ready(page)


def test_what_goes_wrong_for_one_user(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page.locator("#breakdown-title")).to_have_text("Users")
    ready(page)
    page.locator(f"{TABLE} tbody a", has_text="user-1").press("Enter")
    expect(page.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("45")
    ready(page)
    failed = page.locator('[data-counter="requests"] .counter-notes a')
    expect(failed).to_contain_text("5 failed (11.1 %)")
    expect(page.locator('[data-panel="failure_rate"] [data-headline]')).to_have_text("11.1 %")
    failed.press("Enter")
    expect(page).to_have_url(re.compile(r"/requests/\?.*f=user:eq:user-1"))
    expect(page.locator("tbody tr")).to_have_count(5)


def test_is_it_the_provider(page: Page) -> None:
    codes = page.locator('[data-panel="failure_rate_by_status_code"]')
    expect(codes.locator(".legend .name")).to_have_text(["429", "500"])
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("provider")
    page.locator("#filter-operator").select_option("in")
    value = page.locator("#filter-values-field .ts-control input")
    for text in ("typed by hand", "openai"):
        value.fill(text)
        page.locator(".ts-dropdown .create, .ts-dropdown .option.active").first.wait_for()
        value.press("Enter")
        expect(page.locator("#filter-values-field .item", has_text=text)).to_have_count(1)
    page.locator("#filter-form [type=submit]").press("Enter")
    expect(page).to_have_url(re.compile("f=provider:in:"))
    ready(page)
    expect(page.locator(".chip")).to_contain_text("is any of")
    assert counted(page, "requests") == "180"
    page.locator("select[name=compare]").select_option("previous_period")
    expect(codes.locator("[data-note]")).not_to_have_text("")
    expect(page.locator('[data-panel="failure_rate"] [data-note]')).to_contain_text("compared with")
    ready(page)
    heads = page.locator('[data-panel="failure_rate"] .panel-table thead th').all_text_contents()
    assert "gpt-5, before" in heads
    clear = page.locator("#filters-clear")
    expect(clear).to_be_visible()
    page.locator(".chip button").press("Delete")
    expect(page.locator(".chip")).to_have_count(0)
    expect(clear).to_be_hidden()
    expect(page.locator("#filter-add")).to_be_focused()
    ready(page)


def test_a_report_per_tenant(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("g")
    page.keyboard.press("x")
    expect(page.locator("#key-menu")).to_contain_text("tenant")
    ready(page)
    page.locator("#key-menu summary").press("Enter")
    expect(page.locator('#key-menu [data-key="tenant"] [data-coverage]')).to_have_text(re.compile("100"))
    assert column(page, "tenant") == ["tenant-0", "tenant-1", "tenant-2"]
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator('#export-groups [value="metadata.tenant"]')).to_be_checked()
    page.locator('#export-groups [value="model"]').check()
    expect(page.locator("#export-preview tbody tr")).to_have_count(9)
    with page.expect_download() as download:
        page.locator("#export-download").click()
    download.value.save_as(tmp_path / "tenants.csv")
    with (tmp_path / "tenants.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert f"{sum(int(row['input_tokens']) for row in rows):,}" == counted(page, "input_tokens")
    assert {row["metadata.tenant"] for row in rows} == {"tenant-0", "tenant-1", "tenant-2"}
    page.keyboard.press("Escape")


def test_what_a_change_of_routing_did(acme: Organization, owner: User, open_page: Open) -> None:
    change = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=12)
    records = [
        RequestRecord(
            request_id=f"call-{number}",
            started_at=change + timedelta(minutes=6 * number + 1),
            virtual_model="assistant",
            model="new" if number >= 0 else "old",
            latency_ms=250.0 if number >= 0 else 1_000.0,
            status_code=500 if number % 10 == 0 else 200,
            reported_cost_usd=Decimal("0.001") if number >= 0 else Decimal("0.004"),
        )
        for number in range(-100, 100)
    ]
    ingest_records(organization=acme, records=records, source="test", now=timezone.now(), past_days=None)
    page = ready(open_page(owner, "/o/acme/?by=virtual_model"))
    page.get_by_role("link", name="Routing").press("Enter")
    expect(page.locator("#routing-name")).to_have_value("assistant")
    found = page.locator(".routing-shifts a")
    expect(found).to_have_count(1)
    expect(page.locator(".routing-shifts li")).to_contain_text("100.0 %")
    found.press("Enter")
    table = page.locator(".routing-table")
    expect(table.locator("tbody th")).to_have_text(["new", "old"])
    heads = table.locator("thead th").all_text_contents()
    assert {"Share", "Latency P50", "Latency P99", "Failure rate"} <= set(heads)
    expect(table.locator("tbody tr").first).to_contain_text(re.compile(r"0\.0 %\s*→.*100\.0 %.*\+100\.0 points"))
    whole = table.locator("tfoot td").nth(heads.index("Latency P50") - 1)
    expect(whole).to_contain_text("down")
    page.get_by_role("link", name="Open in Metrics").press("Enter")
    ready(page)
    expect(page.locator(".chip")).to_contain_text("assistant")
    assert sorted(column(page, "Models")) == ["new", "old"]


def test_what_a_team_spent_last_month(acme: Organization, owner: User, open_page: Open) -> None:
    last = timezone.now().replace(day=1, hour=0, minute=0) - timedelta(days=5)
    records = [
        RequestRecord(
            request_id=f"call-{number}",
            started_at=last - timedelta(days=31 * (number % 2)),
            model="gpt-5",
            team=("Search", "Ads")[number // 2 % 2],
            status_code=200,
            reported_cost_usd=Decimal(2 - number % 2),
        )
        for number in range(8)
    ]
    ingest_records(organization=acme, records=records, source="test", now=timezone.now(), past_days=None)
    page = ready(open_page(owner, "/o/acme/?by=team"))
    page.keyboard.press("t")
    page.locator('#range-menu [data-from="last-month"]').press("Enter")
    expect(page.locator("[data-range-label]")).to_have_text("Last month")
    expect(page.locator('[data-counter="cost"] .counter-value .visually-hidden')).to_have_text("$8")
    ready(page)
    # The period before is as long; a month of 30 days may leave out the first of one with 31.
    expect(page.locator('[data-counter="cost"] .counter-change')).to_contain_text(re.compile(r"up 100\.0 %|new"))
    page.locator(f"{TABLE} thead a", has_text=re.compile("^Cost$")).press("Enter")
    ready(page)
    assert sorted(column(page, "Teams")) == ["Ads", "Search"]
    assert column(page, "Cost") == ["$4.00", "$4.00"]
    page.get_by_role("link", name="Statements").press("Enter")
    expect(page.locator("h1")).to_have_text("Statements")
