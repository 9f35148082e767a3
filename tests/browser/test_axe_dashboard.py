"""axe finds nothing on the dashboard: every View by, every dialog and menu open, pinned, isolated, narrow and empty."""

import pytest
from playwright.sync_api import Page

from analytics import rollups
from analytics.models import SavedView
from teams.models import Organization, User
from tests.browser import axe, traffic
from tests.browser.conftest import Audit, Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MENUS = {
    "range": "#range-menu",
    "saved views": "#views",
    "copied link": "details:has([data-copy-link])",
    "panel": '[data-panel="cost"] details.menu',
    "metadata key": "#key-menu",
}
# Few buckets: axe reads every cell of the tables behind the charts.
FEW = "from=now-6h&interval=1+hour"
PARTS = {"table": ".panel-table.is-shown", "explain": ".panel-definition"}


@pytest.fixture
def acme_with_traffic(acme: Organization, owner: User) -> Organization:
    """A day of traffic, and a saved view."""
    traffic.store(acme)
    rollups.drain()
    SavedView.objects.create(
        organization=acme, owner=owner, name="By team", kind=SavedView.Kind.DASHBOARD, content={"by": "team"}
    )
    return acme


@pytest.mark.usefixtures("acme_with_traffic")
@pytest.mark.slow
def test_every_view(owner: User, open_page: Open, audit: Audit) -> None:
    page = ready(open_page(owner, f"/o/acme/?{FEW}", **axe.STILL))
    audit(page, "models")
    for view in ("virtual_model", "user", "virtual_account", "team", "metadata"):
        page.locator(f'#view-by [data-by="{view}"]').click()
        page.wait_for_selector(f'#view-by [data-by="{view}"][aria-current="true"]')
        # The heads and panels are those of the view before.
        audit(ready(page), view, ".controls, #counters, [data-panel=cost], #breakdown")


@pytest.mark.usefixtures("acme_with_traffic")
@pytest.mark.slow
@pytest.mark.parametrize("query", ["&by=team&p=99&compare=previous_period&iso=Search", "&by=metadata&key=tenant"])
def test_narrow(owner: User, open_page: Open, audit: Audit, query: str) -> None:
    audit(ready(open_page(owner, f"/o/acme/?{FEW}{query}", **axe.NARROW)), query)


@pytest.mark.usefixtures("acme_with_traffic")
def test_isolated_filtered_and_compared(owner: User, open_page: Open, audit: Audit) -> None:
    query = f"?{FEW}&iso=gpt-5&p=99&compare=previous_period&f=model:in:gpt-5,claude-sonnet-4-5&top=13"
    page = ready(open_page(owner, f"/o/acme/{query}", **axe.STILL))
    assert page.locator(".chip").count() == 2
    assert page.locator('.legend [aria-pressed="false"]').count() > 0
    audit(page, "isolated")


@pytest.mark.usefixtures("acme_with_traffic")
@axe.WIDTHS
def test_menus(owner: User, open_page: Open, audit: Audit, options: dict[str, object]) -> None:
    page = ready(open_page(owner, f"/o/acme/?{FEW}&by=metadata&key=tenant", **options))
    for name, menu in MENUS.items():
        page.locator(f"{menu} > summary").click()
        audit(page, name, menu)
        page.keyboard.press("Escape")
    for act, part in PARTS.items():
        page.locator(f"{MENUS['panel']} > summary").click()
        page.locator(f'[data-panel="cost"] [data-act="{act}"]').click()
        page.locator(f'[data-panel="cost"] {part}').wait_for()
        audit(page, act, '[data-panel="cost"]')


def open_filter(page: Page) -> None:
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("model")
    page.locator("#filter-values-field .ts-control input").click()
    page.locator('.ts-dropdown [data-value="gpt-5"]').click()
    page.locator('.ts-dropdown [data-value="gpt-4.1-mini"]').wait_for()


def open_filter_of_numbers(page: Page) -> None:
    page.keyboard.press("f")
    page.locator("#filter-field").select_option("latency_ms")
    page.locator("#filter-numbers").wait_for()


def open_export(page: Page) -> None:
    page.keyboard.press("e")
    page.locator("#export-preview tbody tr").first.wait_for()
    page.locator(".export-measures summary").click()
    page.locator(".export-api summary").click()


def open_curl(page: Page) -> None:
    page.locator(f"{MENUS['panel']} > summary").click()
    page.locator('[data-panel="cost"] [data-act="curl"]').click()


def open_shortcuts(page: Page) -> None:
    page.keyboard.press("?")


DIALOGS = (open_filter, open_filter_of_numbers, open_export, open_curl, open_shortcuts)


@pytest.mark.usefixtures("acme_with_traffic")
@axe.WIDTHS
def test_dialogs(owner: User, open_page: Open, audit: Audit, options: dict[str, object]) -> None:
    page = ready(open_page(owner, f"/o/acme/?{FEW}", **options))
    for opened in DIALOGS:
        opened(page)
        audit(page, opened.__name__, "dialog[open]")
        page.locator("dialog[open] .dialog-head [data-close]").click()


@pytest.mark.usefixtures("acme_with_traffic")
def test_pinned_tooltip(owner: User, open_page: Open, audit: Audit) -> None:
    page = ready(open_page(owner, f"/o/acme/?{FEW}", **axe.STILL))
    page.locator('[data-panel="input_tokens"] canvas').click(position={"x": 250, "y": 80})
    page.locator(".tooltip.is-pinned").wait_for()
    audit(page, "pinned")


@pytest.mark.usefixtures("acme_with_traffic")
@pytest.mark.slow
def test_states(owner: User, open_page: Open, audit: Audit) -> None:
    page = ready(open_page(owner, "/o/acme/?f=model:eq:nothing", **axe.STILL))
    audit(page, "nothing for these filters")
    address = page.url.split("?")[0]
    page.goto(address + "?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z&by=nonsense")
    audit(ready(page), "nothing in the range")


def test_nothing_ingested(acme: Organization, owner: User, member: User, open_page: Open, audit: Audit) -> None:
    audit(ready(open_page(owner, "/o/acme/", **axe.STILL)), "nothing ingested")
    audit(ready(open_page(owner, "/o/acme/", **axe.NARROW)), "nothing ingested")
    audit(ready(open_page(member, "/o/acme/", **axe.STILL)), "of a member")
