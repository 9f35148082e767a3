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


def ready(page: Page) -> None:
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')


def save(page: Page, name: str, team: str = "") -> None:
    page.fill("#views-name", name)
    if team:
        page.select_option("#views-team", team)
    page.locator("#views-form [type=submit]").click()


def test_a_view_is_saved_opened_and_removed(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    query = "by=user&from=now-7d&f=model:eq:gpt-5&p=99&iso=user-1&area=cost&area=input_tokens"
    page = opened(open_page(owner, f"/o/acme/?{query}"))
    # The first answer of the API in a process imports all of it.
    expect(page.locator("#views-none")).to_be_visible(timeout=20_000)
    save(page, HOSTILE)
    expect(page.locator(".views-entry")).to_contain_text(HOSTILE, timeout=20_000)
    assert SavedView.objects.get().content == {
        "by": "user",
        "from": "now-7d",
        "f": ["model:eq:gpt-5"],
        "p": "99",
        "iso": ["user-1"],
        "area": ["cost", "input_tokens"],
    }
    page.goto(page.url.partition("?")[0])
    opened(page).get_by_role("button", name=HOSTILE, exact=True).click()
    # In the order of the database.
    for part in ("by=user", "from=now-7d", "p=99", "f=model:eq:gpt-5", "iso=user-1", "area=cost", "area=input_tokens"):
        expect(page).to_have_url(re.compile(f"[?&]{part}(&|$)"))
    expect(page.locator(".chip")).to_have_text([re.compile("gpt-5"), "Showing only user-1"])
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


def test_the_page_opens_with_the_view_that_a_person_chose(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = opened(open_page(owner, "/o/acme/?by=user&f=model:eq:gpt-5"))
    save(page, HOSTILE)
    expect(page.locator("#views-mine option")).to_have_count(2)
    page.select_option("#views-mine", label=HOSTILE)
    expect(page.locator("#live")).to_have_text("Saved.")
    page.goto(page.url.partition("?")[0])
    opened(page)
    expect(page).to_have_url(re.compile(r"\?by=user&f=model:eq:gpt-5&view=none$"))
    expect(page.locator("#views-mine option:checked")).to_have_text(HOSTILE)
    expect(page.locator("#views-common option:checked")).to_have_text("no view")

    # What is removed from it stays removed, also after a reload.
    page.keyboard.press("Escape")
    page.locator("#filters-clear").click()
    ready(page)
    page.locator('#view-by [data-by="model"]').click()
    ready(page)
    page.reload()
    ready(page)
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator('#view-by [aria-current="true"]')).to_have_text("Models")

    opened(page).select_option("#views-mine", "")
    expect(page.locator("#live")).to_have_text("Saved.")
    page.goto(page.url.partition("?")[0])
    ready(page)
    expect(page).not_to_have_url(re.compile("[?]"))


def test_everybody_opens_with_what_an_administrator_chose(
    acme: Organization, admin: User, viewer: User, search: Team, open_page: Open
) -> None:
    store(acme)
    page = opened(open_page(admin, "/o/acme/?by=team"))
    save(page, "For all")
    page.select_option("#views-common", label="For all")
    expect(page.locator("#live")).to_have_text("Saved.")
    page = opened(open_page(viewer, "/o/acme/"))
    expect(page).to_have_url(re.compile(r"\?by=team&view=none$"))
    expect(page.locator("#views-none")).to_be_visible()  # the view itself is the administrator's own
    expect(page.locator("#views-common")).to_have_count(0)
    ready(page)


def test_a_view_that_is_not_there_is_named_in_a_message(acme: Organization, owner: User, open_page: Open) -> None:
    store(acme)
    page = open_page(owner, "/o/acme/?view=4711&by=team")
    ready(page)
    expect(page.locator("#messages .notice")).to_contain_text("There is no saved view '4711' for you.")
    page.locator("#messages [aria-label=Dismiss]").click()
    expect(page.locator("#messages .notice")).to_have_count(0)
    expect(page.locator('#view-by [aria-current="true"]')).to_have_text("Teams")
