"""The dashboard in a real browser: drawn, switched, filtered, exported, and empty."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from analytics.exports.jobs import running
from analytics.models import ExportJob
from teams.models import Organization, User
from tests.analytics.exports.reading import xlsx_rows
from tests.browser import traffic
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PANELS = (
    "requests_per_second",
    "failure_rate",
    "failures_by_error_type",
    "failure_rate_by_status_code",
    "latency",
    "ttft",
    "itl",
    "tpot",
    "cost",
    "input_tokens",
    "output_tokens",
)
# Pixels with a hue: lines and bars have one, axes and their labels do not.
COLOURED = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, a] = data.slice(i, i + 4);
    if (a > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 50) count += 1;
  }
  return count;
}"""


def ready(page: Page) -> Page:
    """Wait until every chart is drawn."""
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def counted(page: Page, name: str) -> str:
    """Exact text of a counter."""
    return page.locator(f'[data-counter="{name}"] .counter-value .visually-hidden').text_content() or ""


@pytest.fixture
def questions() -> list[str]:
    """Addresses of data requests, in order."""
    return []


@pytest.fixture
def dashboard(acme: Organization, owner: User, open_page: Open, questions: list[str]) -> Page:
    """The page of an organization with a day of traffic."""
    traffic.store(acme)
    page = open_page(owner, "/o/acme/")
    page.on("request", lambda request: questions.append(request.url) if "/data" in request.url else None)
    return ready(page)


def test_every_chart_is_drawn(dashboard: Page) -> None:
    assert dashboard.evaluate("Chart.version").startswith("4.")
    found = dashboard.locator("[data-panel]").evaluate_all("all => all.map(one => one.dataset.panel)")
    drawn = {name: dashboard.locator(f'[data-panel="{name}"] canvas').evaluate(COLOURED) for name in found}

    assert tuple(found) == PANELS
    assert [name for name, pixels in drawn.items() if pixels < 40] == []


def test_counters_are_exact(dashboard: Page) -> None:
    succeeded = [number for number in range(traffic.COUNT) if number % 9]

    assert counted(dashboard, "requests") == "180"
    assert counted(dashboard, "input_tokens") == f"{sum(1_000 + number for number in succeeded):,}"
    assert counted(dashboard, "output_tokens") == f"{sum(100 + number for number in succeeded):,}"
    assert counted(dashboard, "cost") == "$2"


def test_views_are_switched_by_one_request_and_back_restores(dashboard: Page, questions: list[str]) -> None:
    dashboard.locator('#view-by [data-by="team"]').click()
    expect(dashboard).to_have_url(re.compile(r"\?by=team$"))
    ready(dashboard)
    rows = dashboard.locator(".breakdown-table tbody th").all_text_contents()
    assert sorted(rows) == ["Ads", "Search"]
    assert len(questions) == 1

    dashboard.go_back()
    expect(dashboard.locator(".breakdown-table tbody")).to_contain_text("gpt-5")
    assert not dashboard.url.endswith("by=team")


def test_percentiles_need_no_request_and_isolation_one_for_the_charts_of_failures(
    dashboard: Page, questions: list[str]
) -> None:
    panel = dashboard.locator('[data-panel="latency"]')
    before = panel.locator("[data-headline]").text_content()
    dashboard.locator('#percentiles [data-p="99"]').click()
    expect(dashboard).to_have_url(re.compile("p=99"))
    expect(panel.locator("[data-note]")).to_contain_text("P99")
    assert panel.locator("[data-headline]").text_content() != before
    assert questions == []

    panel.locator(".legend button", has_text="gpt-5").click()
    expect(dashboard.locator(".chip.isolated")).to_contain_text("gpt-5")
    assert panel.locator('.legend [aria-pressed="true"]').count() == 1
    assert dashboard.locator('[data-panel="cost"] .legend [aria-pressed="true"]').count() == 1
    failures = dashboard.locator('[data-panel="failure_rate_by_status_code"]')
    expect(failures.locator("[data-note]")).to_have_text("share of requests · only gpt-5")
    ready(dashboard)
    assert failures.locator("[data-headline]").text_content() == "33.3 %"  # 20 of its 60 requests
    assert len(questions) == 1
    dashboard.go_back()
    expect(dashboard.locator(".chip.isolated")).to_have_count(0)
    expect(failures.locator("[data-headline]")).to_have_text("11.1 %")
    ready(dashboard)


def test_a_filter_is_added_edited_and_removed(dashboard: Page) -> None:
    dashboard.keyboard.press("f")
    dashboard.locator("#filter-field").select_option("model")
    dashboard.locator("#filter-values-field .ts-control input").fill("gpt-5")
    dashboard.locator('.ts-dropdown [data-value="gpt-5"], .ts-dropdown .create').first.click()
    dashboard.locator("#filter-form [type=submit]").click()
    expect(dashboard.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("60")
    expect(dashboard).to_have_url(re.compile("f=model:eq:gpt-5"))

    chip = dashboard.locator(".chip button")
    chip.click()
    expect(dashboard.locator("#filter-title")).to_have_text("Edit filter")
    dashboard.keyboard.press("Escape")
    chip.press("Delete")
    expect(dashboard.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("180")


def test_the_exported_file_adds_up_to_the_counter(dashboard: Page, tmp_path: Path) -> None:
    dashboard.keyboard.press("e")
    dashboard.locator('#export-groups [value="metadata.tenant"]').check()
    expect(dashboard.locator("#export-preview tbody tr")).to_have_count(9)
    dashboard.locator(".export-measures summary").click()
    dashboard.locator('[data-measures="none"]').click()
    expect(dashboard.locator("#export-preview")).to_have_text("Choose at least one value.")
    for measure in ("requests", "input_tokens"):
        dashboard.locator(f'#export-measures [value="{measure}"]').check()
    expect(dashboard.locator("#export-preview thead th")).to_have_text(
        ["model", "metadata.tenant", "requests", "input_tokens"]
    )
    with dashboard.expect_download() as download:
        dashboard.locator("#export-download").click()
    download.value.save_as(tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 9
    assert f"{sum(int(row['requests']) for row in rows):,}" == counted(dashboard, "requests")
    assert f"{sum(int(row['input_tokens']) for row in rows):,}" == counted(dashboard, "input_tokens")
    assert download.value.suggested_filename.startswith("metrics_acme_")


def test_a_file_prepared_in_the_background(dashboard: Page, settings: Settings, tmp_path: Path) -> None:
    settings.EXPORT_DIR = tmp_path / "exports"
    dashboard.keyboard.press("e")
    formats = dashboard.locator("#export-format button")
    expect(formats).to_have_text(["CSV", "Excel", "JSON", "NDJSON", "Parquet", "FOCUS"])
    formats.nth(1).click()
    dashboard.locator("#export-prepare").click()
    expect(dashboard.locator("#export-job-text")).to_contain_text("waits for its turn", timeout=20_000)
    expect(dashboard.locator("#export-prepare")).to_be_disabled()
    job = ExportJob.objects.get()
    assert running.run(job.pk, lambda: datetime.now(UTC)) == 3
    link = dashboard.locator("#export-job-link")
    expect(link).to_be_visible(timeout=20_000)
    expect(dashboard.locator("#export-job-text")).to_contain_text("3 rows")
    with dashboard.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith(".xlsx")
    download.value.save_as(tmp_path / "report.xlsx")
    rows, _ = xlsx_rows((tmp_path / "report.xlsx").read_bytes())
    assert f"{sum(row['requests'] for row in rows):,}" == counted(dashboard, "requests")
    dashboard.locator("#export-job-stop").click()
    expect(dashboard.locator("#export-job")).to_be_hidden()
    assert not ExportJob.objects.exists()


def test_dragging_on_a_chart_sets_the_range_for_all(dashboard: Page, questions: list[str]) -> None:
    box = dashboard.locator('[data-panel="requests_per_second"] canvas').bounding_box()
    assert box is not None
    dashboard.mouse.move(box["x"] + 150, box["y"] + 80)
    dashboard.mouse.down()
    dashboard.mouse.move(box["x"] + 300, box["y"] + 80, steps=4)
    dashboard.mouse.up()
    expect(dashboard).to_have_url(re.compile(r"from=20\d\d-.*Z&to=20\d\d-.*Z"))
    ready(dashboard)

    assert len(questions) == 1
    assert int(counted(dashboard, "requests")) < 180


def test_arrow_keys_read_the_values_and_the_table_shows_them(dashboard: Page) -> None:
    panel = dashboard.locator('[data-panel="cost"]')
    assert "Cost" in (panel.locator("canvas").get_attribute("aria-label") or "")
    panel.locator("canvas").focus()
    dashboard.keyboard.press("End")
    expect(dashboard.locator("#live")).to_contain_text(re.compile(r"\d\d:\d\d"))

    panel.locator("summary").click()
    panel.locator('[data-act="table"]').click()
    expect(panel.locator(".panel-table tfoot")).to_contain_text("Whole range")
    assert panel.locator(".panel-table tbody tr").count() > 20


def test_links_are_copied_with_moving_or_pinned_range(dashboard: Page) -> None:
    dashboard.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for kind, expected in (("moving", r"/o/acme/$"), ("pinned", r"\?from=20\S+Z&to=20\S+Z$")):
        dashboard.locator("details:has([data-copy-link]) summary").click()
        dashboard.locator(f'[data-copy-link="{kind}"]').click()
        expect(dashboard.locator("[data-copy-label]")).to_have_text("Copied")
        assert re.search(expected, dashboard.evaluate("navigator.clipboard.readText()"))
        expect(dashboard.locator("[data-copy-label]")).to_have_text("Copy link")


def test_dark_is_remembered_and_redrawn(dashboard: Page) -> None:
    dashboard.locator("[data-theme-toggle]").click()
    ready(dashboard).reload()
    ready(dashboard)

    assert dashboard.evaluate("document.documentElement.dataset.theme") == "dark"
    assert dashboard.locator('[data-panel="cost"] canvas').evaluate(COLOURED) > 40


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(acme: Organization, owner: User, open_page: Open, width: int) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/?by=user", viewport={"width": width, "height": 800}))

    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    # Names have room: no row is a letter wide and twenty lines tall.
    heights = page.locator(".breakdown-table tr").evaluate_all("all => all.map(one => one.clientHeight)")
    assert 20 < max(heights) < 90


def test_an_empty_database_says_how_to_connect_and_shows_what_arrives(
    acme: Organization, owner: User, open_page: Open
) -> None:
    page = open_page(owner, "/o/acme/overview/")
    expect(page.locator(".state h2")).to_have_text("No request yet")
    page.clock.install()
    page.get_by_role("link", name="How to connect your gateway").click()
    connect = ready(page).locator('[data-state="nothing_ingested"]')
    expect(connect.locator("h2")).to_have_text("Connect your gateway")
    expect(connect).to_contain_text("/api/v1/requests")
    expect(page.locator("#results")).to_be_hidden()
    for name, target in (
        ("create a key", "/o/acme/settings/keys"),
        ("Send a test record", "/o/acme/ingestion/"),
        ("upload a file of requests", "/o/acme/ingestion/upload"),
    ):
        expect(connect.get_by_role("link", name=name)).to_have_attribute("href", target)
    # Nobody has to know of "Refresh": the page looks by itself until something is there.
    traffic.store(acme)
    page.clock.run_for(11_000)
    expect(page.locator("#results")).to_be_visible()
    expect(connect).to_have_count(0)
    assert counted(ready(page), "requests") == "180"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/data" in request.url else None)
    page.clock.run_for(30_000)
    assert asked == []


def test_an_empty_range_leads_to_the_data(dashboard: Page) -> None:
    dashboard.goto(dashboard.url.split("?")[0] + "?from=2025-01-01T00:00:00Z&to=2025-01-02T00:00:00Z")
    dashboard.locator('[data-state="nothing_in_range"] a').click()
    expect(dashboard.locator('[data-counter="requests"] .counter-value .visually-hidden')).to_have_text("180")


def test_without_scripts_numbers_and_tables_are_there(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = open_page(owner, "/o/acme/?by=team", java_script_enabled=False)
    expect(page.locator('[data-counter="requests"]')).to_contain_text("180")
    expect(page.locator('[data-panel="cost"] .panel-table')).to_contain_text("Search")

    page.locator(".breakdown-table tbody a", has_text="Search").click()
    expect(page.locator('[data-counter="requests"]')).to_contain_text("90")
