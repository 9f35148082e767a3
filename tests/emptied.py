"""Between tests that commit, only tables with rows are emptied, and permissions stay as they are.

Django empties all tables and makes permissions anew: on PostgreSQL a fifth of a second of every such test.
"""

from typing import Any, Final

from django.db import connections, transaction
from django.test import TransactionTestCase

from tests import restricted

STAY: Final = {"django_content_type", "auth_permission"}
"""Stored by migrating; no test changes them."""
_as_django_does: Final[Any] = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined] # it has no other name


@restricted.as_owner()
def empty(alias: str) -> None:
    """Remove every row that a test stored; foreign keys and triggers against removal do not stand in the way."""
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = [connection.ops.quote_name(name) for name in names if name not in STAY]
    with connection.cursor() as cursor:
        parts = (f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {name})" for number, name in enumerate(quoted))
        cursor.execute(" UNION ALL ".join(parts))
        filled = [quoted[number] for (number,) in cursor.fetchall()]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")


def _teardown(test: TransactionTestCase) -> None:
    if test.serialized_rollback or test.available_apps is not None:
        with restricted.as_owner():
            _as_django_does(test)
        return
    for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined] # as Django asks
        empty(alias)


def install() -> None:
    """Take the place of Django's way for all tests that commit."""
    TransactionTestCase._fixture_teardown = _teardown  # type: ignore[attr-defined]
