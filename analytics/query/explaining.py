"""What an answer was read from, part by part: noted by the reader, collected by whoever wants to explain it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TypeVar

from analytics.query.values import Part
from metricsportal.lib.timerange import TimeRange

T = TypeVar("T")
_parts: ContextVar[list[Part] | None] = ContextVar("parts", default=None)


@contextmanager
def noted() -> Iterator[list[Part]]:
    """Collects every part that is read inside. Not around a `yield`: a generator's reader would see it too."""
    found: list[Part] = []
    token = _parts.set(found)
    try:
        yield found
    finally:
        _parts.reset(token)


def note(source: str, grain: str, ranges: Sequence[TimeRange], rows: int, started: float) -> None:
    """Note one part that was read. `started`: of `time.monotonic`. Without a collector it is nothing."""
    found = _parts.get()
    if found is not None and ranges:
        elapsed = (time.monotonic() - started) * 1000
        found.append(Part(source, grain, _around(ranges), len(ranges), rows, elapsed))


def noting(rows: Iterator[T], parts: list[Part]) -> Iterator[T]:
    """The same rows; what they were read from is added to `parts`, equal sources as one."""
    while True:
        with noted() as found:
            row = next(rows, None)
        parts[:] = merged([*parts, *found])
        if row is None:
            return
        yield row


def merged(parts: Iterable[Part]) -> list[Part]:
    """Parts of the same source and grain as one, in the order of their first."""
    answer: dict[tuple[str, str], Part] = {}
    for one in parts:
        key = (one.source, one.grain)
        answer[key] = _together(answer[key], one) if key in answer else one
    return list(answer.values())


def _together(one: Part, other: Part) -> Part:
    return replace(
        one,
        period=_around((one.period, other.period)),
        ranges=one.ranges + other.ranges,
        rows=one.rows + other.rows,
        elapsed_ms=one.elapsed_ms + other.elapsed_ms,
    )


def _around(ranges: Sequence[TimeRange]) -> TimeRange:
    return TimeRange(min(one.start for one in ranges), max(one.end for one in ranges))
