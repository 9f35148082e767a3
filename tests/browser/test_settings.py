"""The settings of an organization in a real browser: what people do there, at both widths, and axe on every page."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from teams.models import AuditEntry, Membership, Organization, Team, User
from tests import make
from tests.browser import axe
from tests.browser.conftest import Audit, Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Options = dict[str, object]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def mail(settings: Settings) -> None:
    """Mails stay in memory."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def fits(page: Page) -> None:
    """Nothing but tables in boxes of their own is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@axe.WIDTHS
def test_people_are_invited_and_removed(
    acme: Organization, search: Team, owner: User, viewer: User, open_page: Open, audit: Audit, options: Options
) -> None:
    User.objects.filter(pk=viewer.pk).update(name=HOSTILE)
    page = open_page(owner, "/o/acme/settings/people", **options)
    page.fill("#id_email", "new@person.example")
    page.select_option("#id_team", label="Search")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator(".notice.success")).to_have_text("An invitation is on its way to new@person.example.")
    audit(page, "people")
    fits(page)
    page.get_by_label("Remove viewer@acme.example").click()
    expect(page.get_by_role("button", name="Remove from Acme Works")).to_be_visible()
    audit(page, "removing", ".settings-rows")
    fits(page)
    page.get_by_role("button", name="Remove from Acme Works").click()
    expect(page.locator(".notice.success")).to_have_text("viewer@acme.example does not belong to Acme Works any more.")
    assert list(Membership.objects.values_list("user__email", flat=True)) == ["owner@acme.example"]


@axe.WIDTHS
def test_teams_are_made_and_filled(
    acme: Organization, owner: User, member: User, open_page: Open, audit: Audit, options: Options
) -> None:
    page = open_page(owner, "/o/acme/settings/teams", **options)
    audit(page, "no teams")
    page.fill("#id_name", HOSTILE)
    page.get_by_role("button", name="Create team").click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    page.fill("#id_email", member.email)
    page.get_by_role("button", name="Add to the team").click()
    expect(page.locator(".settings-rows li")).to_contain_text(member.email)
    audit(page, "team")
    fits(page)
    page.get_by_role("link", name="Teams").first.click()
    audit(page, "teams")
    fits(page)


@axe.WIDTHS
def test_keys_are_made_rotated_and_revoked(
    acme: Organization, search: Team, owner: User, open_page: Open, audit: Audit, options: Options
) -> None:
    page = open_page(owner, "/o/acme/settings/keys", permissions=["clipboard-read", "clipboard-write"], **options)
    audit(page, "no keys")
    page.fill("#id_name", "Gateway")
    page.get_by_label("Send requests").check()
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^mp_[0-9a-f]{12}_.{43}$"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").text_content()
    audit(page, "new key")
    fits(page)
    page.get_by_role("link", name="To all keys").click()
    page.get_by_label("Rotate Gateway").click()
    page.get_by_role("button", name="Make the new key").click()
    expect(page.locator("#secret")).to_be_visible()
    page.get_by_role("link", name="To all keys").click()
    page.get_by_label("Revoke Gateway").first.click()
    audit(page, "keys", ".settings-rows")
    fits(page)
    page.get_by_role("button", name="Revoke the key").first.click()
    expect(page.locator(".badge.failed")).to_have_text("revoked")
    audit(page, "keys")
    page.goto(page.url.replace("/keys", "/audit"))
    assert AuditEntry.objects.count() == 4
    expect(page.locator("tbody tr")).to_have_count(4)
    audit(page, "audit log")
    fits(page)


@axe.WIDTHS
def test_owners_decide_how_people_sign_in(
    acme: Organization, owner: User, open_page: Open, browser: Browser, audit: Audit, options: Options
) -> None:
    page = open_page(owner, "/o/acme/settings/sign-in", **options)
    audit(page, "settings-sign-in")
    fits(page)
    # A page of its own: the browser complains about each answer that is an error.
    context = browser.new_context(**options, storage_state=page.context.storage_state())  # type: ignore[arg-type]
    refused = context.new_page()
    try:
        refused.goto(page.url)
        for name, value in (
            ("issuer", "https://127.0.0.1"),
            ("client_id", "x"),
            ("secret", "x"),
            ("domains", "acme.example"),
        ):
            refused.fill(f"#id_{name}", value)
        refused.get_by_role("button", name="Check and save").click()
        expect(refused.locator(".errorlist")).to_contain_text("is in a private network")
        audit(refused, "settings-sign-in, refused")
        fits(refused)
        refused.get_by_role("button", name="Ask everybody for one").click()
        expect(refused.locator("h1")).to_have_text("Another way into Acme Works")
        audit(refused, "closed")
        refused.get_by_role("link", name="Add a second factor").click()
        audit(refused, "second-factor, asked for")
        fits(refused)
    finally:
        context.close()


def test_what_is_refused_is_said_where_it_was_typed(
    acme: Organization, owner: User, open_page: Open, browser: Browser, audit: Audit
) -> None:
    page = open_page(owner, "/o/acme/settings/people", **axe.STILL)
    # A page of its own: the browser complains about each answer that is an error.
    context = browser.new_context(**axe.STILL, storage_state=page.context.storage_state())
    refused = context.new_page()
    try:
        refused.goto(page.url)
        refused.fill("#id_email", "owner@acme.example")
        refused.get_by_role("button", name="Send invitation").click()
        expect(refused.locator(".errorlist")).to_have_text("This person belongs to the organization already.")
        audit(refused, "refused")
    finally:
        context.close()


def test_an_invitation_is_accepted(
    acme: Organization, owner: User, open_page: Open, browser: Browser, audit: Audit, mailoutbox: list[object]
) -> None:
    page = open_page(owner, "/o/acme/settings/people", **axe.STILL)
    page.fill("#id_email", "new@person.example")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator(".notice.success")).to_be_visible()
    (path,) = re.findall(r"/invitation/\S+", str(getattr(mailoutbox[0], "body", "")))
    context = browser.new_context(**axe.STILL)
    guest = context.new_page()
    try:
        guest.goto(page.url.split("/o/")[0] + path)
        audit(guest, "invitation")
        for name in ("new_password1", "new_password2"):
            guest.fill(f"[name={name}]", make.PASSWORD)
        guest.get_by_role("button", name="Set password and join").click()
        expect(guest.locator(".notice.success")).to_contain_text("You belong to Acme Works now.")
        audit(guest, "accepted")
        guest.goto(page.url.split("/o/")[0] + path)
        expect(guest.locator("h1")).to_have_text("This invitation is over")
        audit(guest, "over")
    finally:
        context.close()
