"""Which database errors are tried again, and when the sender is asked to come back later."""

import logging
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, connection

TRIES: Final = 3
_AGAIN: Final = frozenset({"40P01", "40001"})  # deadlock, serialization failure
_log = logging.getLogger(__name__)
T = TypeVar("T")


class UnavailableError(Exception):
    """The database cannot store now; nothing was stored, or nobody knows. Answered 503 with Retry-After."""

    retry_after = 5  # seconds


def with_retries(transaction: Callable[[], T], pause: Callable[[], None] | None = None) -> T:
    """Run a whole transaction, again when it was a victim of others; call it outside every `atomic()` block.

    A lost connection is not tried again: whether the commit happened is unknown, and the sender's repeat finds out.
    Raises UnavailableError.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return transaction()
        except (OperationalError, InterfaceError, InternalError, IntegrityError) as error:
            if attempt < TRIES and _may_be_repeated(error):
                _log.warning("transaction repeated (%d of %d): %s", attempt, TRIES - 1, error)
                (pause or _jitter)()
                continue
            if isinstance(error, IntegrityError):
                raise
            if not connection.in_atomic_block:
                connection.close()
            raise UnavailableError(str(error)) from error
    raise AssertionError("unreachable: the last try returns or raises")


def _may_be_repeated(error: Exception) -> bool:
    # At commit, a violation means that a dimension row was deleted since it was looked up: it is looked up again.
    return isinstance(error, IntegrityError) or getattr(error.__cause__, "sqlstate", None) in _AGAIN


def _jitter() -> None:
    time.sleep(random.uniform(0.020, 0.200))  # noqa: S311 - spreads writers, hides nothing
