"""Fixtures of the whole suite. The browser is there when the machine has one; its tests are skipped otherwise."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from analytics.api import throttles
from tests import restricted
from tests.harness import chromium

pytest_plugins = ["tests.personas", "tests.analytics.world"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; with PORTAL_TEST_RLS=on as the role for which the policies hold."""
    with ExitStack() as stack:
        if restricted.ON:
            stack.enter_context(django_db_blocker.unblock())
            stack.enter_context(restricted.database())
            stack.enter_context(django_db_blocker.block())
        yield


@pytest.fixture(autouse=True)
def fresh_allowances() -> None:
    """Nobody has asked anything yet: ids of callers repeat from test to test."""
    throttles.forget()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for the session; make a `browser.new_context()` per test."""
    path = chromium.find()
    if path is None:
        pytest.skip(chromium.WHY_NOT)
    # Playwright runs an event loop in this thread, in which Django refuses its ORM unless told otherwise.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chosen = playwright.chromium.launch(executable_path=path, args=list(chromium.SWITCHES))
        yield chosen
        chosen.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
