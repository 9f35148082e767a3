"""Callers, accounts and models in a real browser: what people do there, at both widths, and axe on every page."""

import pytest
from playwright.sync_api import expect

from ingestion.models import GatewayUser
from teams.models import Organization, Team, User
from tests import make
from tests.browser import axe
from tests.browser.conftest import Audit, Open
from tests.browser.test_settings import HOSTILE, Options, fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@axe.WIDTHS
def test_names_are_moved_claimed_and_merged(
    acme: Organization, search: Team, owner: User, open_page: Open, audit: Audit, options: Options
) -> None:
    for user in (HOSTILE, "ann"):
        make.request(acme, user=user, virtual_account="bot", team="typo", virtual_model="chat")
    page = open_page(owner, "/o/acme/settings/callers", **options)
    page.get_by_label("Choose ann").check()
    page.get_by_label("Move those that are ticked to").select_option("Search")
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".notice.success")).to_have_text("1 moved to Search. Requests up to now stay where they are.")
    audit(page, "callers")
    fits(page)
    page.get_by_role("link", name=HOSTILE).click()
    page.get_by_role("button", name="Claim by this name").click()
    expect(page.locator(".notice.success")).to_have_text(f"{HOSTILE} is claimed.")
    audit(page, "caller")
    fits(page)
    page.get_by_label("Is the same caller as").fill("ann")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("tfoot")).to_contain_text("1")
    audit(page, "merge")
    fits(page)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("Earlier names:")).to_be_visible()
    merged = GatewayUser.objects.get(name=HOSTILE)
    assert merged.merged_into == GatewayUser.objects.get(name="ann")
    account, typo = acme.virtual_accounts.get(), Team.objects.get(name="typo")
    of_team = f"teams/{typo.pk}/merge?into=Search"
    for path in ("accounts", f"accounts/{account.pk}", "models", "models?show=virtual", of_team):
        page.goto(f"{page.url.split('/settings/')[0]}/settings/{path}")
        audit(page, path)
        fits(page)
