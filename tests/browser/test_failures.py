"""The two charts of failures in a real browser: what their series are is chosen, kept in the address and followed."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CHOSEN = '[aria-current="true"]'


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic, every ninth request failed: 429 of one team, 500 of the other."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/?by=team"))


def legend(panel: Locator) -> list[str]:
    return sorted(panel.locator(".legend .name").all_text_contents())


def test_failed_requests_by_the_groups_of_the_page(page: Page, tmp_path: Path) -> None:
    panel = page.locator('[data-panel="failures_by_error_type"]')
    total = panel.locator("[data-headline]").text_content()
    assert legend(panel) == ["RateLimitError", "ServerError"]
    panel.locator(".legend button", has_text="RateLimitError").click()
    panel.locator('[data-failures="view"]').click()
    expect(panel.locator("h3")).to_have_text("Request failures by team")
    expect(page).to_have_url(re.compile(r"by=team&failures=view$"))  # an error type is no series there
    ready(page)
    assert legend(panel) == ["Ads", "Search"]
    assert panel.locator("[data-headline]").text_content() == total == "20"

    panel.locator("summary").click()
    with page.expect_download() as download:
        panel.locator('[data-act="csv"]').click()
    download.value.save_as(tmp_path / "panel.csv")
    with (tmp_path / "panel.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["Ads"]) + int(row["Search"]) for row in rows) == 20

    page.locator('[data-panel="cost"] .legend button', has_text="Ads").click()
    expect(panel.locator('.legend [aria-pressed="true"]')).to_have_text(re.compile("Ads"))
    panel.locator('[data-failures="error_type"]').click()
    expect(panel.locator("h3")).to_have_text("Request failures by error type")
    expect(page).to_have_url(re.compile(r"by=team&iso=Ads$"))
    ready(page)


def test_failure_rate_by_class_is_there_after_reload_and_back(page: Page) -> None:
    panel = page.locator('[data-panel="failure_rate_by_status_code"]')
    assert legend(panel) == ["429", "500"]
    rate = panel.locator("[data-headline]").text_content()
    panel.locator('[data-codes="class"]').click()
    expect(page).to_have_url(re.compile("codes=class"))
    ready(page).reload()
    ready(page)
    expect(panel.locator(f"nav {CHOSEN}")).to_have_text("Class")
    assert legend(panel) == ["429", "5xx"]
    assert panel.locator("[data-headline]").text_content() == rate
    expect(panel.locator(".panel-table thead")).to_contain_text("5xx")
    page.go_back()
    expect(panel.locator(f"nav {CHOSEN}")).to_have_text("Status code")
    ready(page)
    assert legend(panel) == ["429", "500"]


def test_without_scripts_the_series_are_links(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = open_page(owner, "/o/acme/?by=team", java_script_enabled=False)
    page.locator('[data-failures="view"]').click()
    page.locator('[data-codes="class"]').click()
    assert page.url.endswith("?by=team&failures=view&codes=class")
    expect(page.locator('[data-panel="failures_by_error_type"] .panel-table')).to_contain_text("Search")
    expect(page.locator('[data-panel="failure_rate_by_status_code"] .panel-table')).to_contain_text("5xx")


@pytest.mark.parametrize("name", ["requests_per_second", "failure_rate_by_status_code"])
def test_lines_that_add_up_are_stacked_on_request(page: Page, name: str) -> None:
    panel, stack = page.locator(f'[data-panel="{name}"]'), page.locator(f'[data-stack="{name}"]')
    form = f"Chart.getChart(document.querySelector('[data-panel=\"{name}\"] canvas')).portalModel.form"
    highest = f"Chart.getChart(document.querySelector('[data-panel=\"{name}\"] canvas')).scales.y.max"
    assert page.evaluate(form) == "line"
    before = page.evaluate(highest)
    panel.locator("summary").click()
    expect(stack).to_have_text("Stack the series")
    stack.click()
    expect(page).to_have_url(re.compile(f"stack={name}"))
    ready(page)
    assert page.evaluate(form) == "bar"
    assert page.evaluate(highest) >= before
    other = page.locator(f'[data-stack]:not([data-stack="{name}"])')
    assert other.get_attribute("href") == f"?by=team&stack={name}&stack={other.get_attribute('data-stack')}"
    page.reload()
    ready(page)
    assert page.evaluate(form) == "bar"
    panel.locator("summary").click()
    stack.click()
    expect(page).to_have_url(re.compile(r"by=team$"))
    ready(page)
    assert page.evaluate(form) == "line"
