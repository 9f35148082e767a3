"""One consistent view of the database for all statements of an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

TIME_LIMIT_MS: Final = 15_000


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything as of one instant; inside another transaction its view is used.

    PostgreSQL: REPEATABLE READ, READ ONLY, with a statement time limit. SQLite: a deferred read transaction, because
    Django's own would take the write lock.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(TIME_LIMIT_MS)])
            yield
    else:
        with _deferred():
            yield


@contextmanager
def _deferred() -> Iterator[None]:
    connection.ensure_connection()
    if connection.connection.in_transaction:
        yield
        return
    connection.connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.connection.execute("ROLLBACK")
