"""The page that maps attributes in a real browser: every act by clicks, with and without scripts, narrow and wide."""

import json

import pytest

from ingestion import rules
from ingestion.models import LLMRequest
from teams.models import AuditEntry, Organization, User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/o/acme/ingestion/mapping"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
CANARY = "canary-7f3a"


def order(organization: Organization) -> list[str]:
    return [f"{rule.attribute} {rule.target}" for rule in rules.rules_of(organization)]


@pytest.mark.parametrize("scripts", [True, False])
def test_rules_are_made_by_clicks(acme: Organization, admin: User, open_page: Open, scripts: bool) -> None:
    page = open_page(admin, "/o/acme/ingestion/", java_script_enabled=scripts)
    page.click("text=Map attributes")
    for attribute, choice, key in (("x.team", "team", ""), ("x.app", "metadata", "app"), ("x.key", "user", "")):
        page.fill("input[name=attribute]", attribute)
        page.select_option("select[name=target]", choice)
        page.fill("input[name=key]", key)
        page.click("button:has-text('Add')")
        page.wait_for_selector(f"text=“{attribute}” fills")
    page.get_by_role("button", name="Move rule 3 up").click()
    page.wait_for_selector(".mapping-rules li:nth-child(2):has-text('x.key')")
    page.get_by_role("link", name="Edit rule 1").click()
    assert page.input_value("input[name=attribute]") == "x.team"
    page.select_option("select[name=target]", "virtual_account")
    page.click("text=Save")
    page.wait_for_selector("text=“x.team” fills Virtual account from now on.")
    page.get_by_role("button", name="Remove rule 3").click()
    page.wait_for_selector("text=“x.app” fills metadata app no more.")
    assert order(acme) == ["x.team virtual_account", "x.key user"]
    assert AuditEntry.objects.filter(actor=admin, action__startswith="mapping.").count() == 6


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_record_is_tried_and_forgotten(
    acme: Organization, admin: User, open_page: Open, width: int, scheme: str
) -> None:
    long = "x." + "long" * 60
    for attribute, target in (("metadata.department", "team"), (long, "metadata." + "k" * 128), ("<b>x</b>", "user")):
        rules.add_rule(actor=None, organization=acme, attribute=attribute, target=target)
    page = open_page(admin, PAGE, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate(TOO_WIDE) <= 0
    assert "<b>x</b>" in page.inner_text(".mapping-rules")
    record = {"request_id": "a", "started_at": "2026-11-24T09:00:00Z", "metadata": {"department": "Search"}}
    page.fill("textarea", json.dumps(record | {"metadata": {"department": "Search", "messages": [CANARY]}}))
    page.click("button:has-text('Try it')")
    page.wait_for_selector(".mapping-record")
    assert page.locator(".by-rule").inner_text().split() == ["team", "Search", "rule", "1"]
    assert page.input_value("textarea") == ""
    assert page.evaluate(TOO_WIDE) <= 0
    page.fill("textarea", "{" + CANARY)
    page.click("button:has-text('Try it')")
    page.wait_for_selector(".mapping-refusal")
    assert CANARY not in page.content()
    assert not LLMRequest.objects.exists()
