"""Look and times of the profile, followed by the pages."""

import re

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests.browser import traffic
from tests.browser.conftest import Open
from tests.browser.test_dashboard import ready

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def save(page: Page, theme: str, times: str) -> None:
    page.goto(re.sub(r"(//[^/]+).*", r"\1/profile", page.url))
    page.get_by_label("Theme").select_option(theme)
    page.get_by_label("Times").select_option(times)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_pages_follow_the_profile(acme: Organization, owner: User, open_page: Open) -> None:
    traffic.store(acme)
    page = open_page(owner, "/profile", timezone_id="Asia/Tokyo")
    look = "[document.documentElement.dataset.theme, matchMedia('(prefers-color-scheme: dark)').matches]"
    save(page, "dark", "viewer")
    assert page.evaluate(look) == ["dark", False]
    page.goto(page.url.replace("/profile", "/o/acme/"))
    ready(page)
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(page.locator(".range-zone")).to_contain_text("times in Asia/Tokyo")
    # The address decides over the profile, and the switch of this browser over both, until the profile is saved again.
    expect(page.locator("#zone-choice")).to_have_attribute("href", re.compile("tz=org"))
    page.goto(page.url + "?tz=org")
    ready(page)
    expect(page.locator(".range-zone")).not_to_contain_text("Asia/Tokyo")
    page.locator("[data-theme-toggle]").click()
    page.reload()
    ready(page)
    assert page.evaluate(look)[0] == "light"
    save(page, "dark", "org")
    assert page.evaluate(look)[0] == "dark"
