"""Fixtures of the whole suite. The browser is there when the machine has one; its tests are skipped otherwise."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from analytics.api import throttles
from tests import emptied, once, restricted
from tests.harness import chromium

pytest_plugins = ["tests.personas", "tests.analytics.world"]

TESTS = Path(__file__).parent
SERVERS = ("os.environ", "DATABASE_URL", "REDIS_URL", ".vendor", "subprocess")
"""Words of a module whose tests may meet the servers of a run without asking pytest for a database."""
PATIENCE_MS = 20_000
COLLECT_AFTER = (50_000, 20, 50)
"""Measured: six per cent of the time of pages."""


@cache
def _names_servers(path: Path) -> bool:
    text = path.read_text()
    return any(word in text for word in SERVERS)


def _stores(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or "django_db_setup" in fixtures


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what no database can change, so that `make test` runs it once."""
    listed = {TESTS / path for path in once.MODULES}
    for item in items:
        if item.path in listed:
            item.add_marker(pytest.mark.once)
        if not _stores(item) and not _names_servers(item.path):
            item.add_marker(pytest.mark.anywhere)


def pytest_sessionstart() -> None:
    """Tests that commit leave no rows, quickly."""
    emptied.install()


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: the collector need not walk through it in every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> None:
    """Whoever asks for a database only while it runs must not be left out where the database is another."""
    if fixturedef.argname == "_django_db_helper" and request.node.get_closest_marker("anywhere"):
        pytest.fail("uses the database without saying so: it needs pytest.mark.django_db", pytrace=False)


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
    expect.set_options(timeout=PATIENCE_MS)  # a condition that holds ends the wait; three runs share the machine
    with sync_playwright() as playwright:
        chosen = playwright.chromium.launch(executable_path=path, args=list(chromium.SWITCHES))
        yield chosen
        chosen.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
