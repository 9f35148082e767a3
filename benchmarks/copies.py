"""PostgreSQL's own COPY of rows that the portal stored, into a table with the same columns, indexes and rows."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import psycopg
from django.db import connection
from psycopg import sql

from benchmarks.clock import Stopwatch
from ingestion.models import LLMRequest

FACTS: Final = sql.Identifier(LLMRequest._meta.db_table)
_COPY: Final = sql.Identifier("benchmark_copy")
_Server = psycopg.Connection[tuple[int, ...]]


class Copies:
    """Context manager: the second table, as full as the first; it is dropped at the end."""

    def __init__(self, *, empty: bool = False) -> None:
        self._empty = empty
        self._server: _Server = psycopg.connect(conninfo(), autocommit=True)

    def __enter__(self) -> Self:
        """Create the table, with all facts so far unless it shall be empty."""
        self._server.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(_COPY, FACTS))
        if not self._empty:
            self._server.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(_COPY, FACTS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the table."""
        self._server.execute(sql.SQL("DROP TABLE {}").format(_COPY))
        self._server.close()

    def last_stored(self) -> int:
        """The highest id of the facts."""
        found = self._server.execute(sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(FACTS)).fetchone()
        return found[0] if found else 0

    def copy(self, after: int, size: int) -> float:
        """Seconds to COPY the facts beyond an id, as ready binary blocks of `size` rows, each its own transaction.

        Reading the blocks is not counted.
        """
        watch, low = Stopwatch(), after
        while (high := self._next(low, size)) is not None:
            block = self._read(low, high)
            with (
                watch.running(),
                self._server.cursor() as cursor,
                cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(_COPY)) as copy,
            ):
                for piece in block:
                    copy.write(piece)
            low = high
        return watch.seconds

    def _next(self, low: int, size: int) -> int | None:
        """The id of the last row of the block that begins after `low`; a writer's ids have gaps."""
        query = sql.SQL("SELECT max(id) FROM (SELECT id FROM {} WHERE id > {} ORDER BY id LIMIT {}) AS block")
        found = self._server.execute(query.format(FACTS, sql.Literal(low), sql.Literal(size))).fetchone()
        return found[0] if found else None

    def _read(self, low: int, high: int) -> Sequence[bytes]:
        query = sql.SQL("COPY (SELECT * FROM {} WHERE id > {} AND id <= {}) TO STDOUT (FORMAT BINARY)")
        with (
            self._server.cursor() as cursor,
            cursor.copy(query.format(FACTS, sql.Literal(low), sql.Literal(high))) as copy,
        ):
            return [bytes(piece) for piece in copy]


def conninfo() -> str:
    """How to reach the database of the settings."""
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(
        **{name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    )
