"""The policies in the test database, and two ways behind them: a role for a transaction, a connection of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker, Settings

from metricsportal.lib import border
from metricsportal.lib.border import Border
from metricsportal.row_security.base import DatabaseWrapper, settings_of
from tests import restricted

Become = Callable[[Border], None]


@pytest.fixture(scope="session")
def policies(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Made once and left there: the owner of the test database is a superuser, for whom none holds."""
    if connection.vendor != "postgresql":
        pytest.skip("row-level security is PostgreSQL's")
    if not restricted.ON:
        with django_db_blocker.unblock():
            call_command("row_security", apply=True, role=restricted.ROLE, verbosity=0)


@pytest.fixture
def relied_on() -> Iterator[None]:
    """For what is asked without a filter on purpose: only the policies stand between it and others' rows."""
    with restricted.relied_on("tests of the policies"):
        yield


@pytest.fixture
def become(policies: None, db: None, relied_on: None) -> Iterator[Become]:
    """Go on in this transaction as the role of the portal, inside a border."""
    with ExitStack() as stack:

        def go_on(seen: Border) -> None:
            # Drawn as well: a connection that tells borders by itself would tell that of before again.
            drawn = border.everything("as told") if seen.everything else border.within(*seen.organizations)
            stack.enter_context(drawn)
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL ROLE {restricted.ROLE}; {settings_of(seen)}")

        yield go_on


@pytest.fixture
def behind(policies: None, transactional_db: None, settings: Settings) -> Iterator[BaseDatabaseWrapper]:
    """The connection of this thread is the portal's with PORTAL_RLS=on; what the test does itself sees everything."""
    before = connections["default"]
    options = before.settings_dict["OPTIONS"] | {"assume_role": restricted.ROLE}
    own = DatabaseWrapper({**before.settings_dict, "OPTIONS": options}, "default")
    settings.ROW_SECURITY = True
    connections["default"] = own
    with border.everything("tests make rows of every organization"):
        yield own
    own.close()
    connections["default"] = before
