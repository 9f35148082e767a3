"""Saved views in a real browser: kept, opened by whoever sees them, removed."""

import re

import pytest
from playwright.sync_api import Page, expect

from analytics.models import SavedView
from teams.models import Organization, Team, User
from tests.browser.conftest import Open
from tests.browser.traffic import store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=alert(1)> & 'co'"


def opened(page: Page) -> Page:
    page.wait_for_selector('#dashboard[data-ready="true"]')
    page.locator("#views summary").click()
    return page


def save(page: Page, name: str, team: str = "") -> None:
    page.fill("#views-name", name)
    if team:
        page.select_option("#views-team", team)
    page.locator("#views-form [type=submit]").click()


def test_a_view_is_saved_opened_and_removed(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = opened(open_page(owner, "/o/acme/?by=user&from=now-7d&f=model:eq:gpt-5&p=99"))
    expect(page.locator("#views-none")).to_be_visible()
    save(page, HOSTILE)
    expect(page.locator(".views-entry")).to_contain_text(HOSTILE)
    assert SavedView.objects.get().content == {"by": "user", "from": "now-7d", "f": ["model:eq:gpt-5"], "p": "99"}
    page.goto(page.url.partition("?")[0])
    opened(page).get_by_role("button", name=HOSTILE, exact=True).click()
    for part in ("by=user", "from=now-7d", "p=99", "f=model:eq:gpt-5"):  # in the order of the database
        expect(page).to_have_url(re.compile(f"[?&]{part}(&|$)"))
    expect(page.locator(".chip")).to_contain_text("gpt-5")
    opened(page).get_by_role("button", name="Delete the view").click()
    expect(page.locator("#views-none")).to_be_visible()
    assert not SavedView.objects.exists()


def test_a_team_s_view_is_seen_by_the_team_and_kept_by_its_managers(
    acme: Organization, search: Team, manager: User, viewer: User, open_page: Open
) -> None:
    store(acme)
    page = opened(open_page(manager, "/o/acme/?by=team"))
    save(page, "Ours", "Search")
    expect(page.locator(".views-entry")).to_contain_text("Search")
    page = opened(open_page(viewer, "/o/acme/"))
    expect(page.locator(".views-entry")).to_contain_text("Ours")
    expect(page.locator(".views-entry [aria-label]")).to_have_count(0)
    expect(page.locator("#views-team option")).to_have_count(1)
    page.get_by_role("button", name="Ours").click()
    expect(page).to_have_url(re.compile("by=team"))
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')  # it reads no more


def test_a_name_that_is_taken_becomes_this_page(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = opened(open_page(owner, "/o/acme/?by=user"))
    save(page, "Mine")
    expect(page.locator(".views-entry")).to_have_count(1)
    page.goto(page.url.replace("by=user", "by=team"))
    opened(page)
    expect(page.locator(".views-entry")).to_have_count(1)
    save(page, " Mine ")
    expect(page.locator("#live")).to_have_text("Saved.")
    expect(page.locator(".views-entry")).to_have_count(1)
    assert SavedView.objects.get().content == {"by": "team", "f": []}
