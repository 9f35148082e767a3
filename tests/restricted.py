"""The suite as a detector: PORTAL_TEST_RLS=on runs it as the role for which the policies hold.

Two things turn a test red: a query outside of every border finds nothing, and a query inside one answers otherwise when
the policies are lifted: it relies on them, its own filter was forgotten. What a test does by itself sees everything;
what it asks of the portal sees what the portal says. PostgreSQL alone.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from metricsportal.lib import border
from metricsportal.row_security.policies import quoted

ROLE: Final = "portal_tests"
ON: Final = os.environ.get("PORTAL_TEST_RLS") == "on"
_READS: Final = re.compile(r"[\s(]*(SELECT|WITH)\b(?!.*\b(pg_advisory|set_config|nextval))", re.IGNORECASE | re.DOTALL)
_ASKED: Final = 5
_LIFT: Final = "SAVEPOINT portal_lifted; SET LOCAL portal.everything = 'on'"
_LOWER: Final = "ROLLBACK TO SAVEPOINT portal_lifted; RELEASE SAVEPOINT portal_lifted"
_is_relied_on = False


@contextmanager
def database() -> Iterator[None]:
    """Connections of the test database become those of the role; at the end they are its owner's again."""
    call_command("row_security", apply=True, role=ROLE, verbosity=0)
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    options["assume_role"] = ROLE
    connection_created.connect(watch)
    border.open_process("tests make rows of every organization")
    try:
        yield
    finally:
        border.close_process()
        connection_created.disconnect(watch)
        connection.close()
        del options["assume_role"]


@contextmanager
def as_owner() -> Iterator[None]:
    """What a test asks of the server by itself and only the tables' owner may, such as VACUUM: outside of transactions.

    PostgreSQL does not refuse VACUUM to others, it warns and does nothing.
    """
    if not ON:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {quoted(ROLE)}")


@contextmanager
def relied_on(why: str) -> Iterator[None]:
    """Statements are not asked twice: for tests of the policies themselves, whose queries forget filters on purpose."""
    global _is_relied_on  # noqa: PLW0603 - tests run one after the other
    _is_relied_on = True
    try:
        yield
    finally:
        _is_relied_on = False


def compare(execute: Callable[..., object], sql: str, params: object, many: bool, context: dict[str, Any]) -> object:
    """A wrapper of statements: what is read inside a border must be the same without policies.

    Raises AssertionError with the statement that relies on them.
    """
    seen = border.current()
    if seen.organizations and not seen.everything and not many and _READS.match(str(sql)):
        raw = context["connection"].connection
        with raw.cursor() as cursor:
            # What others commit, or hold, between the two questions differs once and then no more.
            same = any(
                _rows(cursor, sql, params, "SAVEPOINT portal_lifted") == _rows(cursor, sql, params, _LIFT)
                for _ in range(_ASKED)
            )
        assert same, f"without policies this finds rows of other organizations: {sql}"
    return execute(sql, params, many, context)


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Ask every statement of a new connection twice, from its first to its last.

    Not as the last wrapper: who put one there before the connection was made, as a snapshot does in a thread, takes the
    last one away again, and would take the detector and leave its own. The first tells the border.
    """
    if _unless_relied_on not in connection.execute_wrappers:
        connection.execute_wrappers.insert(1, _unless_relied_on)


def _unless_relied_on(execute: Callable[..., object], *arguments: Any) -> object:
    return execute(*arguments) if _is_relied_on else compare(execute, *arguments)


def _rows(cursor: "psycopg.Cursor[Any]", sql: str, params: Any, before: str) -> list[str] | None:
    """What a statement finds, in any order; None when the database refuses it."""
    cursor.execute(before.encode())
    try:
        cursor.execute(sql, params)
        return sorted(map(repr, cursor.fetchall()))
    except psycopg.Error:
        return None
    finally:
        cursor.execute(_LOWER.encode())
