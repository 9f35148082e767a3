"""Refuses a database that may lose what it acknowledged: a 2xx to a gateway means that the record is on the disk."""

import logging
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_logger = logging.getLogger(__name__)
_POSTGRESQL: Final = (
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
)
_FULL: Final = 2  # of SQLite's synchronous: 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA


def weaknesses(connection: BaseDatabaseWrapper) -> list[str]:
    """Settings of the server, or of this connection, under which an acknowledged commit may be lost."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL)
            return [f"{name} is off" for name, value in sorted(cursor.fetchall()) if value == "off"]
        cursor.execute("PRAGMA synchronous")
        return [] if int(cursor.fetchone()[0]) >= _FULL else ["synchronous is below FULL"]


def check(sender: object, connection: BaseDatabaseWrapper, **more: Any) -> None:
    """Look at a connection that was just opened. Raises ImproperlyConfigured, and closes it."""
    if not settings.REQUIRE_DURABLE_DATABASE:
        return
    found = weaknesses(connection)
    if found:
        connection.close()
        raise ImproperlyConfigured(
            f"The database may lose what was acknowledged ({', '.join(found)}): switch it on. See deploy/README.md."
        )


def require() -> None:
    """Look before the process serves. A database that does not answer yet is looked at when it does."""
    try:
        connections["default"].ensure_connection()
    except OperationalError:
        _logger.warning("the database does not answer yet")
    connections["default"].close()
