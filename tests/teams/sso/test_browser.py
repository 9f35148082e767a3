"""What only a browser shows: the way to a provider under our content policy, and a virtual device's passkey."""

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from teams.models import Membership, Organization, User
from tests import make
from tests.browser import axe
from tests.teams.sso.conftest import Connect, Provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Page]:
    """A page of nobody, at the sign-in. Whatever the browser complains about on our pages fails the test."""
    settings.PORTAL_URL = live_server.url  # http://localhost, where browsers allow passkeys
    context, complaints = browser.new_context(**axe.STILL), []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if live_server.url in page.url else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(live_server.url + "/sign-in?next=/profile")
    yield page
    context.close()
    assert complaints == []


def test_to_the_provider_and_back(acme: Organization, connect: Connect, at: Provider, page: Page) -> None:
    connect(acme)
    at.says("new@acme.example", email="new@acme.example", email_verified=True)
    page.reload()
    expect(page.locator("[name=password]")).to_have_count(0)
    assert axe.violations(page, "e-mail first") == []
    page.fill("[name=username]", "new@acme.example")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{at.url}/oauth2/authorize**")
    page.fill("input[name=sub]", "new@acme.example")
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url("**/profile")
    expect(page.locator("body")).to_contain_text("You sign in as new@acme.example.")
    assert Membership.objects.get().user.email == "new@acme.example"


def by_password(page: Page, user: User) -> None:
    page.fill("[name=username]", user.email)
    page.fill("[name=password]", make.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_passkey_is_added_and_asked_for(owner: User, page: Page) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    made = devices.send("WebAuthn.addVirtualAuthenticator", {"options": kind | {"automaticPresenceSimulation": True}})
    by_password(page, owner)
    page.get_by_role("link", name="Add a second factor").click()
    assert axe.violations(page, "second-factor") == []
    card = page.locator("form[data-passkey]")
    card.locator("[name=name]").fill("Laptop")
    card.locator("[name=password]").fill(make.PASSWORD)
    card.get_by_role("button").click()
    expect(page.locator("h1")).to_have_text("Keep these recovery codes")
    assert axe.violations(page, "recovery codes") == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator(".settings-rows")).to_contain_text("Laptop")
    assert axe.violations(page, "second-factor, with a passkey") == []
    assert list(Authenticator.objects.order_by("type").values_list("type", flat=True)) == ["recovery_codes", "webauthn"]
    page.context.clear_cookies()
    page.goto(page.url.rpartition("/profile")[0] + "/sign-in?next=/profile")
    by_password(page, owner)
    expect(page.locator("h1")).to_have_text("Second factor")
    assert axe.violations(page, "sign-in-factor") == []
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/profile")
    # Another device does not have it.
    devices.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made["authenticatorId"]})
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": kind | {"automaticPresenceSimulation": True}})
    page.context.clear_cookies()
    page.goto(page.url.rpartition("/profile")[0] + "/sign-in?next=/profile")
    by_password(page, owner)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("[data-passkey-error]")).to_be_visible()
    assert page.goto(page.url.rpartition("/sign-in")[0] + "/profile").url.endswith("/sign-in?next=/profile")  # type: ignore[union-attr]
