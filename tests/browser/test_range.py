"""The range of the page in a real browser: dragged and undone, shifted and widened by keys, chosen on a phone."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import counted, ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIXED = "?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z"


def drag(page: Page) -> None:
    """Drag over some buckets of a chart."""
    box = page.locator('[data-panel="latency"] canvas').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 150, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 80, steps=4)
    page.mouse.up()


def borders(page: Page) -> tuple[datetime, datetime]:
    """The range in the address."""
    found = re.search(r"from=(\S+?Z)&to=(\S+?Z)", page.url)
    assert found is not None, page.url
    first, last = (datetime.fromisoformat(text) for text in found.groups())
    return first, last


def test_dragged_ranges_are_undone_one_by_one(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/?by=team", viewport={"width": 1280, "height": 1400}))
    undo = page.locator("#zoom-undo")
    expect(undo).to_be_hidden()
    drag(page)
    expect(undo).to_be_visible()
    ready(page)
    once = page.url
    drag(page)
    expect(page).not_to_have_url(once)
    ready(page)
    # The way back stays when something else changes, and after a reload.
    page.locator('#view-by [data-by="user"]').click()
    expect(page).to_have_url(re.compile("by=user"))
    ready(page).reload()
    ready(page)
    undo.click()
    expect(page).to_have_url(once.replace("by=team&", "by=user&"))
    ready(page)
    undo.click()
    expect(page).to_have_url(re.compile(r"\?by=user$"))
    expect(undo).to_be_hidden()
    assert counted(ready(page), "requests") == "180"
    # A range that is chosen is no zoom.
    page.go_back()
    expect(undo).to_be_visible()
    ready(page).locator("#range-menu summary").click()
    page.locator('[data-from="now-6h"]').click()
    expect(page).to_have_url(re.compile("from=now-6h"))
    expect(undo).to_be_hidden()
    ready(page)


def test_keys_shift_and_widen_the_range(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, f"/o/acme/{FIXED}"))
    start, end = borders(page)
    for key, expected in (
        ("[", (start - timedelta(days=1), end - timedelta(days=1))),
        ("]", (start, end)),
        ("-", (start - timedelta(hours=12), end + timedelta(hours=12))),
    ):
        before = page.url
        page.keyboard.press(key)
        expect(page).not_to_have_url(before)
        ready(page)
        assert borders(page) == expected, key
    page.keyboard.press("t")
    expect(page.locator("#range-menu")).to_have_attribute("open", "")


def test_the_menu_of_the_range_takes_the_width_of_a_phone(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = ready(open_page(owner, "/o/acme/", viewport={"width": 360, "height": 740}))
    page.locator("#range-menu summary").click()
    menu, group = (page.locator(one).bounding_box() for one in (".range-list", ".toolbar > .button-group:first-child"))
    assert menu is not None
    assert group is not None
    assert (menu["x"], menu["width"]) == pytest.approx((group["x"], group["width"]), abs=1)
    assert menu["width"] > 320
    page.locator('[data-from="now-7d"]').click()
    expect(page).to_have_url(re.compile("from=now-7d"))
    ready(page)
