"""One consistent view of the database for all statements of an answer."""

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

TIME_LIMIT_MS: Final = 15_000
NOBODY_WAITS_MS: Final = 600_000
"""For what is read in the background, in parts: a day of ten million requests a month takes longer than a page may."""
_INSTRUCTIONS: Final = 20_000  # of SQLite's machine between two looks at the clock: well under a millisecond
# Facts are read in the order of their ids; the server's default of 4 MB would sort many of them on disk.
_SORT_MEMORY: Final = "64MB"
_LIMITS: Final = "SELECT set_config('statement_timeout', %s, true), set_config('work_mem', %s, true)"
P = ParamSpec("P")
T = TypeVar("T")
_known: ContextVar[dict[Hashable, Any] | None] = ContextVar("known", default=None)


def once(read: Callable[P, T]) -> Callable[P, T]:
    """Let a function of hashable arguments read the database once per snapshot: its answer cannot change there."""

    @wraps(read)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        known = _known.get()
        if known is None:
            return read(*args, **kwargs)
        key = (read, args, tuple(kwargs.items()))
        if key not in known:
            known[key] = read(*args, **kwargs)
        answer: T = known[key]
        return answer

    return remembered


@contextmanager
def snapshot(limit_ms: int | None = None) -> Iterator[None]:
    """Read everything as of one instant; inside another snapshot its view is used. `limit_ms`: None = of an answer."""
    if _known.get() is not None:
        yield
        return
    token = _known.set({})
    try:
        with _one_view(limit_ms or TIME_LIMIT_MS):
            yield
    finally:
        _known.reset(token)


@contextmanager
def _one_view(limit_ms: int) -> Iterator[None]:
    """Inside another transaction its view is used.

    PostgreSQL: REPEATABLE READ, READ ONLY, with a statement time limit. SQLite: a deferred read transaction, because
    Django's own would take the write lock. Raises OperationalError when all statements together take too long.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.execute_wrapper(_Deadline(limit_ms)), _read_transaction(limit_ms):
        yield


class _Deadline:
    """Refuses the next statement when the time of an answer is over; the databases cut a running one short."""

    def __init__(self, limit_ms: int) -> None:
        self.until = time.monotonic() + limit_ms / 1000

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        if time.monotonic() > self.until:
            raise OperationalError("The time limit of an answer is over.")
        return execute(*arguments)


@contextmanager
def _read_transaction(limit_ms: int) -> Iterator[None]:
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute(_LIMITS, [str(limit_ms), _SORT_MEMORY])
            yield
    else:
        with _deferred(limit_ms):
            yield


@contextmanager
def _deferred(limit_ms: int) -> Iterator[None]:
    connection.ensure_connection()
    raw = connection.connection
    if raw.in_transaction:
        yield
        return
    until = time.monotonic() + limit_ms / 1000
    raw.execute("BEGIN DEFERRED")
    raw.set_progress_handler(lambda: time.monotonic() > until, _INSTRUCTIONS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)
        if raw.in_transaction:  # an interrupted statement may have ended it
            raw.execute("ROLLBACK")
