"""How a pass in the background shares the database with everybody else."""

import time
from collections.abc import Callable
from typing import Final

from django.db import connection

REST: Final = 0.11
"""Seconds between two transactions on SQLite: who waits for its one writer looks at least every tenth of a second."""


class Pace:
    """Called between two transactions: lets other writers in, and ends the pass once its time is over.

    A pass that ends in time never meets the next one, which would compute the same hours once more.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._end = clock() + seconds

    def __call__(self) -> bool:
        """Whether to go on."""
        if self._clock() >= self._end:
            return False
        if connection.vendor == "sqlite":
            self._sleep(REST)
        return True
