"""The curl command of a panel, run by a shell, answers with the panel's numbers."""

import json
import os
import shutil
import subprocess
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from teams.models import Organization, User
from tests import make
from tests.analytics.test_dashboard_questions import answered, shown
from tests.browser import traffic
from tests.browser.conftest import Open

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the machine has no curl"),
]
HOSTILE = 'it\'s $(id) `id` "x" \\ \u202e'


def command_of(page: Page, panel: str) -> str:
    card = page.locator(f'[data-panel="{panel}"]')
    card.locator("details.menu summary").click()
    card.locator('[data-act="curl"]').click()
    expect(page.locator("#curl-dialog")).to_be_visible()
    command = page.locator("#curl-command").text_content() or ""
    page.keyboard.press("Escape")
    return command


def run(command: str, key: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "PORTAL_KEY": key}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_the_shown_command_answers_with_the_numbers_of_the_panel(
    acme: Organization, owner: User, open_page: Open
) -> None:
    traffic.store(acme, suffix=HOSTILE)
    key = make.key(acme, "read", owner=owner).text
    teams = f"team:eq:{quote('Search' + HOSTILE.replace(chr(92), chr(92) * 2))}"
    page = open_page(owner, f"/o/acme/?by=user&f={teams}&to=now&from=now-12h")
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    data = json.loads(page.locator("#dashboard-data").text_content() or "")
    assert data["messages"] == []
    for panel in data["panels"]:
        command = command_of(page, panel["name"])
        assert command.isascii()
        assert HOSTILE not in command
        body = data["questions"]["base"] | data["questions"]["panels"][panel["name"]]
        found = answered(run(command, key)["data"]["dataPoints"], body)
        expected = shown(data, panel)
        assert found
        assert found == pytest.approx(expected), panel["name"]


def test_the_command_has_the_percentile_that_is_chosen_and_is_copied(
    acme: Organization, owner: User, open_page: Open
) -> None:
    traffic.store(acme)
    page = open_page(owner, "/o/acme/", permissions=["clipboard-read", "clipboard-write"])
    page.wait_for_selector('#dashboard[data-ready="true"]:not(.is-loading)')
    page.locator('#percentiles [data-p="99"]').click()
    expect(page.locator('[data-panel="latency"] [data-note]')).to_contain_text("P99")
    card = page.locator('[data-panel="latency"]')
    card.locator("details.menu summary").click()
    card.locator('[data-act="curl"]').click()
    expect(page.locator("#curl-title")).to_have_text("Request latency by API")
    expect(page.locator("#curl-command")).to_contain_text('{"type":"p99","column":"latencyMs"}')
    page.locator("#curl-copy").click()
    expect(page.locator("#live")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl-command").text_content()
