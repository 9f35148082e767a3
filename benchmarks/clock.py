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


@dataclass(frozen=True, slots=True)
class Runs:
    """Milliseconds of the runs of one thing."""

    millis: tuple[float, ...]

    @property
    def p50(self) -> float:
        """Median, nearest rank."""
        return nearest_rank(list(self.millis), 50)

    @property
    def p95(self) -> float:
        """Nearest rank: of 20 runs the slowest but one."""
        return nearest_rank(list(self.millis), 95)

    def __str__(self) -> str:
        return f"{self.p50:,.0f} / {self.p95:,.0f}"


def say(text: str) -> None:
    """Tell on stderr what happens, with the seconds since the start."""
    sys.stderr.write(f"[{time.monotonic() - STARTED:6.0f} s] {text}\n")
    sys.stderr.flush()


def nearest_rank(values: list[float], percentile: int) -> float:
    """The smallest value that is not below that share of the values."""
    return sorted(values)[max(1, -(-len(values) * percentile // 100)) - 1]
