"""A world that is stored once for the tests of a module: each starts from it, and what one changes is undone.

Around the module stands a transaction that is never committed; the test's own one is a savepoint inside.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    names = {"transactional_db", "live_server"} & {*getattr(item, "fixturenames", ())}
    return bool(names) or (marker is not None and bool(marker.kwargs.get("transaction")))


@contextmanager
def for_the_module(request: pytest.FixtureRequest, blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is stored inside, with `blocker.unblock()`, is there for every test of the module and gone after the last.

    Use it in a fixture of scope `module` that also asks for `django_db_setup`.
    """
    committing = [item.nodeid for item in request.session.items if item.path == request.path and _commits(item)]
    assert committing == [], (
        "tests that commit would empty the tables under the others: give them a module of their own"
    )
    with blocker.unblock():
        around = transaction.atomic()
        around._from_testcase = True  # type: ignore[attr-defined] # so that code may ask for the outermost one
        around.__enter__()
    try:
        yield
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)


def fixture(fill: Callable[[], object]) -> Any:
    """A fixture of scope `module` in which `fill` is called once: `_stored = kept.fixture(_fill)`."""

    @pytest.fixture(scope="module")
    def stored(
        request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
    ) -> Iterator[None]:
        with for_the_module(request, django_db_blocker):
            with django_db_blocker.unblock():
                fill()
            yield

    return stored
