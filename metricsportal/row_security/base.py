"""Django's PostgreSQL engine, which tells every transaction the border (`metricsportal.lib.border`) before it reads.

SET LOCAL, so that a setting ends with its transaction: the next request on the connection, and whoever else a pooler
lends it to, starts with none and sees nothing.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from metricsportal.lib import border
from metricsportal.lib.border import NOTHING, Border

# What touches rows; anything else needs no border, and some of it (VACUUM, CREATE INDEX CONCURRENTLY) no transaction.
_OF_ROWS: Final = re.compile(
    r"[\s(]*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE|EXPLAIN|CALL)\b", re.IGNORECASE
)


def settings_of(seen: Border) -> str:
    """The statements that tell a border: not `set_config`, a query, after which no isolation level can be chosen."""
    ids = ",".join(str(int(one)) for one in sorted(seen.organizations))
    organizations, everything = f"{{{ids}}}" if ids else "", "on" if seen.everything else "off"
    return f"SET LOCAL portal.organizations = '{organizations}'; SET LOCAL portal.everything = '{everything}'"


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions know the border of what runs in them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: Border | None = NOTHING  # of the open transaction; None after what may have undone it
        self.execute_wrappers.append(self._inside_border)

    def ensure_connection(self) -> None:
        """As ever; inside a transaction the border is told, also to what the driver is then asked directly."""
        super().ensure_connection()
        if self.in_atomic_block:
            self._tell()

    def connect(self) -> None:
        """A new connection knows nothing."""
        self._told = NOTHING
        super().connect()

    def _commit(self) -> None:
        self._told = NOTHING
        super()._commit()  # type: ignore[misc] # the stubs leave it out, as the two below

    def _rollback(self) -> None:
        self._told = NOTHING
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._told = None

    def _tell(self) -> None:
        wanted, raw = border.current(), self.connection
        if wanted == self._told or raw is None or raw.info.transaction_status is TransactionStatus.INERROR:
            return
        with self.wrap_database_errors:
            raw.execute(settings_of(wanted))
        self._told = wanted

    def _inside_border(
        self, execute: Callable[..., object], sql: object, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        if not self.get_autocommit():
            self._tell()
            return execute(sql, params, many, context)
        if border.current() == NOTHING or not _OF_ROWS.match(str(sql)):
            return execute(sql, params, many, context)
        with self._one_transaction():
            return execute(sql, params, many, context)

    @contextmanager
    def _one_transaction(self) -> Iterator[None]:
        """Around a statement outside of every transaction, which ends with it."""
        raw = self.connection
        with self.wrap_database_errors:
            raw.execute(f"BEGIN; {settings_of(border.current())}")
        try:
            yield
        except BaseException:
            if not raw.closed:
                raw.execute("ROLLBACK")
            raise
        with self.wrap_database_errors:
            raw.execute("COMMIT")
