"""A signed-in page of a real browser that fails its test for whatever the browser complains about."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Dialog, Page
from pytest_django.live_server_helper import LiveServer

from teams.models import User

Open = Callable[..., Page]
Audit = Callable[..., None]


def _sign_in(context: BrowserContext, server: LiveServer, user: User) -> None:
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """Opens a path as a user, with options of a browser context. Complaints and dialogs fail the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def dismiss(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_one(user: User, path: str, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type] # Playwright's own keywords
        contexts.append(context)
        _sign_in(context, live_server, user)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismiss)
        page.goto(live_server.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def audit() -> Iterator[Audit]:
    """Asks axe about a page as it is, or about what a selector names; whatever it finds fails the test at its end."""
    from tests.browser import axe

    found: list[str] = []
    yield lambda page, where, within=None: found.extend(axe.violations(page, where, within))
    if found:
        pytest.fail("\n".join(found), pytrace=False)
