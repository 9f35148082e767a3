"""Read the segments of a plan: cells of aggregates and single facts behind one face, each with its group and bucket."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.catalog.columns import Frame, Ints
from analytics.catalog.dimensions import Dimension
from analytics.catalog.grains import QUARTER, QUARTER_SECONDS, REQUESTS, by_quarter
from analytics.cells import frame as frames
from analytics.cells.cells import NO_MAX, NO_MIN
from analytics.cells.packing import Numbers, Packed, column
from analytics.cells.storage import Kept
from analytics.query import matching
from analytics.query.explaining import note
from analytics.query.facts import scoped_facts
from analytics.query.matching import Flags
from analytics.query.parts import Chosen, FactsPart, Part, StoredPart
from analytics.query.planner import Plan, only_failures
from analytics.query.snapshot import once
from analytics.query.stored import Rows, rows_of
from analytics.query.values import Filter, Query
from ingestion.models import MetadataKey, MetadataValue
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Entries
from metricsportal.lib.localtime import hour_start, next_hour_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What to read: entries with the ids of the dimensions, in buckets.

    `starts`: bucket starts, None = one bucket for the whole period. `sums`, `histograms`: columns wanted.
    """

    dimensions: tuple[Dimension, ...]
    starts: tuple[datetime, ...] | None
    sums: tuple[str, ...]
    histograms: tuple[str, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Integer columns to group by; two dimensions may share one."""
        return tuple(dict.fromkeys(frame_axis(one) for one in self.dimensions))

    @property
    def width(self) -> int:
        """Number of buckets."""
        return len(self.starts or (1,))


@dataclass(slots=True)
class Read:
    """Everything that a plan found. `keys`: per entry the ids of the shape's axes. `bucket`: per entry its number.

    `rows`: cells and facts looked at. `texts`: labels of ids without a row of their own, by axis.
    """

    parts: list[Part]
    keys: Ints
    bucket: Ints
    rows: int = 0
    texts: dict[str, dict[int, str]] = field(default_factory=dict)

    def column(self, name: str) -> Numbers:
        """An additive column of all entries."""
        return self._joined(lambda part: part.column(name))

    def only(self, chosen: Flags) -> "Read":
        """The chosen entries alone."""
        borders = np.cumsum(np.array([part.size for part in self.parts], dtype=np.int64))[:-1]
        parts = [part.only(flags) for part, flags in zip(self.parts, np.split(chosen, borders), strict=False)]
        return Read(parts, self.keys[chosen], self.bucket[chosen], self.rows, self.texts)

    def extremes(self, name: str, rows: Ints, size: int) -> tuple[Ints, Ints]:
        """Least and most of a histogram's samples per row. `rows`: of every entry."""
        least, most, start = np.full(size, NO_MIN), np.full(size, NO_MAX), 0
        for part in self.parts:
            own = rows[start : start + part.size]
            start += part.size
            for found, values, kept in zip((least, most), part.extremes(name), (np.minimum, np.maximum), strict=True):
                kept.at(found, own, values)
        return least, most

    def entries(self, name: str) -> Entries:
        """Entries of a histogram."""
        return histogram.concatenate([part.entries(name) for part in self.parts])

    def _joined(self, of: Callable[[Part], Numbers]) -> Numbers:
        found = [of(part) for part in self.parts]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def frame_axis(dimension: Dimension) -> str:
    """The column of a dimension; metadata keys have one each."""
    return dimension.axis if dimension.key_id is None else frames.metadata_axis(dimension.key_id)


def read(query: Query, plan: Plan, shape: Shape) -> Read:
    """All segments of the plan. Call it inside a snapshot."""
    parts: list[Part] = []
    texts: dict[str, dict[int, str]] = {}
    rows = 0
    for level, ranges in (("day", plan.days), ("hour", plan.hours)):
        if ranges:
            started = time.monotonic()
            stored = rows_of(level, query.scope.organization_id, plan.grain_name, plan.key_id, ranges)
            parts.append(StoredPart(stored, _matching(query, plan, stored)))
            note(level, plan.axes, ranges, stored.size, started)
            rows += stored.size
    if plan.quarters:
        started = time.monotonic()
        parts.append(_quarters(query, plan))
        note("quarter", plan.axes, plan.quarters, parts[-1].size, started)
        rows += parts[-1].size
    if plan.requests:
        started = time.monotonic()
        kept = _kept(query.scope, plan.requests, query.filters, _only_failed(plan))
        parts += kept
        note("requests", "", plan.requests, sum(part.size for part in kept), started)
        rows += sum(part.size for part in kept)
    if plan.facts:
        started = time.monotonic()
        frame, texts = _facts(query, plan, shape)
        parts.append(FactsPart(frame))
        note("facts", "", plan.facts, parts[-1].size, started)
        rows += parts[-1].size
    keys = [np.concatenate([part.axis(axis) for part in parts]) for axis in shape.axes] if parts else []
    size = sum(part.size for part in parts)
    matrix = np.stack(keys, axis=1) if keys else np.empty((size, len(shape.axes)), dtype=np.int64)
    seconds = np.concatenate([part.seconds for part in parts]) if parts else np.empty(0, dtype=np.int64)
    return Read(parts, matrix, _bucket_numbers(seconds, shape), rows, texts)


def _matching(query: Query, plan: Plan, stored: Rows) -> Flags | None:
    failures = plan.grain is not None and plan.grain.only_failed
    filters = [one for one in query.filters if not (failures and only_failures(one))]
    return matching.wanted(query.scope, filters, lambda one: stored.kept.column(one.dimension.axis), stored.kept.column)


def _quarters(query: Query, plan: Plan) -> StoredPart:
    """The cells of whole quarters of an hour; the first and last hour may have others as well."""
    stored = rows_of(
        "hour",
        query.scope.organization_id,
        by_quarter(plan.grain_name),
        plan.key_id,
        _hours(query.scope, plan.quarters),
    )
    seconds = stored.kept.column(QUARTER) * QUARTER_SECONDS
    inside, wanted = _within(seconds * 10**6, plan.quarters), _matching(query, plan, stored)
    return StoredPart(stored, inside if wanted is None else inside & wanted, seconds)


def _only_failed(plan: Plan) -> bool:
    return plan.only_failed or (plan.grain is not None and plan.grain.only_failed)


@once
def _kept(scope: Scope, periods: tuple[TimeRange, ...], filters: tuple[Filter, ...], failed: bool) -> list[FactsPart]:
    """The kept requests that match: all panels of a page ask about the same ones.

    Those of whole hours apart from the others, so that not every column of a day has to be cut at two borders.
    """
    whole, cut = _whole_hours(periods, zone(scope.zone))
    return [_requests(scope, ranges, filters, failed, cut=ranges is cut) for ranges in (whole, cut) if ranges]


def _whole_hours(periods: tuple[TimeRange, ...], tz: ZoneInfo) -> tuple[tuple[TimeRange, ...], tuple[TimeRange, ...]]:
    """What of the periods is whole hours, and what lies before and behind these."""
    whole, cut = [], []
    for one in periods:
        first, last = hour_start(one.start, tz), hour_start(one.end, tz)
        first = first if first == one.start else next_hour_start(first, tz)
        if first < last:
            whole.append(TimeRange(first, last))
            cut += [TimeRange(one.start, first), TimeRange(last, one.end)]
        else:
            cut.append(one)
    return tuple(whole), tuple(one for one in cut if one.seconds)


def _requests(
    scope: Scope, periods: tuple[TimeRange, ...], filters: tuple[Filter, ...], failed: bool, *, cut: bool
) -> FactsPart:
    rows = rows_of("hour", scope.organization_id, REQUESTS, None, _hours(scope, periods))
    kept = Kept([part for head in rows.kept.heads for part in _between(head, periods)]) if cut else rows.kept
    wanted = matching.wanted(scope, filters, lambda one: kept.column(frame_axis(one.dimension)), kept.column)
    if failed:
        flags = kept.column("failed") == 1
        wanted = flags if wanted is None else wanted & flags
    return FactsPart(Chosen(kept, wanted))


def _between(hour: Packed, periods: tuple[TimeRange, ...]) -> Iterator[Packed]:
    """The requests of an hour that lie in the periods: few runs, because they are kept in the order of time."""
    inside = _within(column([hour], frames.INSTANT), periods)
    borders = np.flatnonzero(np.diff(inside, prepend=False, append=False)).tolist()
    for first, last in zip(borders[::2], borders[1::2], strict=True):
        yield hour.some(first, last)


def _hours(scope: Scope, periods: tuple[TimeRange, ...]) -> tuple[TimeRange, ...]:
    """The periods begun with their first hour, so that its row is found."""
    tz = zone(scope.zone)
    return tuple(TimeRange(hour_start(one.start, tz), one.end) for one in periods)


def _within(instants: Ints, periods: tuple[TimeRange, ...]) -> Flags:
    flags = np.zeros(len(instants), dtype=bool)
    for one in periods:
        start, end = ((border - _EPOCH) // _MICROSECOND for border in (one.start, one.end))
        flags |= (instants >= start) & (instants < end)
    return flags


def _bucket_numbers(seconds: Ints, shape: Shape) -> Ints:
    if shape.starts is None:
        return np.zeros(len(seconds), dtype=np.int64)
    borders = np.array([int(start.timestamp()) for start in shape.starts], dtype=np.int64)
    return np.maximum(np.searchsorted(borders, seconds, side="right") - 1, 0)


def _facts(query: Query, plan: Plan, shape: Shape) -> tuple[Frame, dict[str, dict[int, str]]]:
    key_ids = tuple(dict.fromkeys(one.key_id for one in shape.dimensions if one.key_id is not None))
    frame, raw, keys = _frame(query.scope, plan.facts, query.filters, key_ids, _only_failed(plan))
    columns, texts = dict(frame), dict[str, dict[int, str]]()
    for key in keys:
        axis = frames.metadata_axis(key.pk)
        found = {text for text in raw[axis] if text is not None}
        known = dict(MetadataValue.objects.filter(key=key, name__in=found).values_list("name", "pk"))
        columns[axis], texts[axis] = frames.number_texts(raw[axis], known)
    return columns, texts


@once
def _frame(
    scope: Scope, periods: tuple[TimeRange, ...], filters: tuple[Filter, ...], key_ids: tuple[int, ...], failed: bool
) -> tuple[Frame, dict[str, list[str | None]], Sequence[MetadataKey]]:
    """The facts of a question with every axis: all panels of a page ask about the same ones."""
    facts = scoped_facts(scope, periods, filters)
    keys = [MetadataKey.objects.get(pk=pk) for pk in key_ids]
    frame, raw = frames.read(facts.filter(failed=True) if failed else facts, frames.AXES, keys)
    return frame, raw, keys
