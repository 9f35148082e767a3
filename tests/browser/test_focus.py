"""The export dialog's format FOCUS in a real browser: what it hides, says and downloads."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REPORTS = "**/api/v1/report?**"


@pytest.fixture
def dashboard(acme: Organization, owner: User, open_page: Open) -> Page:
    """The page of an organization with a day of traffic, narrow and dark."""
    traffic.store(acme)
    page = open_page(owner, "/o/acme/", viewport={"width": 360, "height": 800}, color_scheme="dark")
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    return page


def test_the_file_of_the_dialog_is_the_cost_of_its_days(dashboard: Page, tmp_path: Path) -> None:
    held: list[Route] = []
    dashboard.route(REPORTS, lambda route: held.append(route))  # noqa: PLW0108 - Playwright cannot wrap a built-in
    with dashboard.expect_request(REPORTS):
        dashboard.keyboard.press("e")
    dashboard.locator('#export-format [data-format="focus"]').click()
    preview = dashboard.locator("#export-preview")
    expect(preview).to_contain_text("FOCUS 1.2")
    for hidden in ("#export-groups", "#export-every", "#export-measures"):
        expect(dashboard.locator(hidden)).to_be_hidden()
    with dashboard.expect_response(REPORTS) as late:
        held[0].continue_()
    late.value.finished()
    dashboard.unroute(REPORTS)
    dashboard.evaluate("() => new Promise((done) => setTimeout(done))")
    assert "FOCUS 1.2" in preview.inner_text()  # the answer to what was chosen before comes too late

    with dashboard.expect_download() as download:
        dashboard.locator("#export-download").click()
    assert download.value.suggested_filename.startswith("focus-1.2_acme_")
    download.value.save_as(tmp_path / "focus.csv")
    with (tmp_path / "focus.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(Decimal(row["BilledCost"]) for row in rows) == 160 * Decimal("0.0125")
    assert {row["SubAccountName"] for row in rows} == {"Search", "Ads"}

    dashboard.locator('#export-format [data-format="csv"]').click()
    expect(preview.locator("tbody tr")).to_have_count(3)
    expect(dashboard.locator("#export-groups")).to_be_visible()
