"""Every key of the list of shortcuts in a real browser; off in inputs, and on request."""

import re

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VIEWS = {"v": "virtual_model", "u": "user", "a": "virtual_account", "t": "team", "x": "metadata", "m": "model"}


@pytest.fixture
def page(acme: Organization, owner: User, open_page: Open) -> Page:
    """A day of traffic."""
    traffic.store(acme)
    return ready(open_page(owner, "/o/acme/"))


def test_the_list_has_every_key(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#shortcuts-dialog")).to_be_visible()
    keys = page.locator(".shortcuts kbd").all_text_contents()
    assert set(keys) >= {*"?t[]-rf/gmvuatxed14", "Esc", "←", "→"}
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()


def test_views_and_percentiles(page: Page) -> None:
    for key, view in VIEWS.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.locator(f'#view-by [data-by="{view}"]')).to_have_attribute("aria-current", "true")
        ready(page)
    for key, percentile in (("2", 75), ("3", 90), ("4", 99), ("1", 50)):
        page.keyboard.press(key)
        expect(page.locator('[data-panel="latency"] [data-note]')).to_contain_text(f"P{percentile} ")
    ready(page)


def test_dialogs_theme_and_refresh(page: Page) -> None:
    for key, dialog in (("f", "#filter-dialog"), ("/", "#filter-dialog"), ("e", "#export-dialog")):
        page.keyboard.press(key)
        expect(page.locator(dialog)).to_be_visible()
        if dialog == "#export-dialog":
            expect(page.locator("#export-preview tbody tr")).to_have_count(3)
        page.keyboard.press("Escape")
        expect(page.locator(dialog)).to_be_hidden()
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    with page.expect_response(re.compile("/data")):
        page.keyboard.press("r")
    ready(page)


def test_they_are_off_in_inputs_and_when_switched_off(page: Page) -> None:
    page.locator("#refresh-every").focus()
    page.keyboard.press("e")
    expect(page.locator("#export-dialog")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    page.locator("#shortcuts-on").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()
    page.keyboard.press("2")
    page.keyboard.press("e")
    expect(page.locator("#export-dialog")).to_be_hidden()
    assert "p=75" not in page.url
    # The list stays within reach, or they could not be switched on again; so after a reload.
    page.reload()
    ready(page).keyboard.press("?")
    page.locator("#shortcuts-on").check()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()
    page.keyboard.press("2")
    expect(page).to_have_url(re.compile("p=75"))
    ready(page)


def test_the_page_refreshes_itself_as_often_as_chosen(page: Page) -> None:
    for seconds in (30, 60, 300):
        page.locator("#refresh-every").select_option(str(seconds))
        with page.expect_response(re.compile("/data")):
            # The clock of the page goes on by that much at once.
            page.evaluate(f"(() => {{ const now = Date.now; Date.now = () => now() + {seconds * 1000 + 1}; }})()")
        ready(page)
    page.locator("#refresh-every").select_option("0")
