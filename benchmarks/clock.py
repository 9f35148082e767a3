"""Durations and what a list of them says."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

STARTED: Final = time.monotonic()


@dataclass(slots=True)
class Stopwatch:
    """Seconds that passed inside the `with` blocks it was given to; they add up."""

    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of a block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started


def say(text: str) -> None:
    """Tell on stderr what happens, with the seconds since the start."""
    sys.stderr.write(f"[{time.monotonic() - STARTED:6.0f} s] {text}\n")
    sys.stderr.flush()


def nearest_rank(values: list[float], percentile: int) -> float:
    """The smallest value that is not below that share of the values."""
    return sorted(values)[max(1, -(-len(values) * percentile // 100)) - 1]
