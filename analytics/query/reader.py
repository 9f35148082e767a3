"""Read the segments of a plan: cells of aggregates and single facts behind one face, each with its group and bucket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import numpy as np

from analytics.catalog.columns import COLUMNS, HISTOGRAMS, Frame, Ints
from analytics.catalog.dimensions import DIMENSIONS, Dimension
from analytics.cells import frame as frames
from analytics.cells.cells import NO_MAX, NO_MIN
from analytics.cells.packing import Numbers
from analytics.query import matching
from analytics.query.facts import scoped_facts
from analytics.query.matching import Flags
from analytics.query.planner import Plan, only_failures
from analytics.query.snapshot import once
from analytics.query.stored import Rows, rows_of
from analytics.query.values import Filter, Query
from ingestion.models import MetadataKey, MetadataValue
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Entries
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_AXES: Final = (*dict.fromkeys(one.axis for one in DIMENSIONS if one.groupable), "second")
_COLUMNS: Final = {column.name: column for column in COLUMNS}
_HISTOGRAMS: Final = {one.name: one for one in HISTOGRAMS}


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


class Part(Protocol):
    """Entries of one source: cells of a grain or single facts. `chosen` are flags over the part's own entries."""

    @property
    def size(self) -> int:
        """Number of entries."""

    def axis(self, name: str) -> Ints:
        """Ids of an axis (`frame_axis`)."""

    @property
    def seconds(self) -> Ints:
        """Epoch seconds of the entries, or of the buckets they are kept in."""

    def column(self, name: str) -> Numbers:
        """An additive column."""

    def extreme(self, name: str, part: str) -> Ints:
        """`min` or `max` of a histogram's samples."""

    def entries(self, name: str, chosen: Flags) -> Entries:
        """Histogram entries of the chosen ones."""


class StoredPart:
    """Cells of aggregates that match, of the rows of one grain."""

    def __init__(self, rows: Rows, wanted: Flags | None) -> None:
        self._rows, self._wanted = rows, wanted
        self.seconds: Ints = self._of(rows.seconds)
        self.size = len(self.seconds)

    def _of(self, values: Numbers) -> Numbers:
        return values if self._wanted is None else values[self._wanted]

    def axis(self, name: str) -> Ints:
        return self._of(self._rows.column(name.partition(":")[0]))

    def column(self, name: str) -> Numbers:
        return self._of(self._rows.column(name))

    def extreme(self, name: str, part: str) -> Ints:
        return self._of(self._rows.extreme(name, part))

    def entries(self, name: str, chosen: Flags) -> Entries:
        if self._wanted is None:
            return self._rows.entries(name, chosen)
        whole = self._wanted.copy()
        whole[self._wanted] = chosen
        return self._rows.entries(name, whole)


class FactsPart:
    """Single facts, as columns; every one is an entry of its own."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.seconds: Ints = frame["second"]
        self.size = len(self.seconds)

    def axis(self, name: str) -> Ints:
        return self._frame[name]

    def column(self, name: str) -> Numbers:
        head, _, last = name.rpartition("_")
        if head not in _HISTOGRAMS:
            return _COLUMNS[name].of_facts(self._frame)
        measured = self._measured(head)
        return measured.astype(np.int64) if last == "count" else np.where(measured, self._durations(head), 0)

    def extreme(self, name: str, part: str) -> Ints:
        return np.where(self._measured(name), self._durations(name), NO_MIN if part == "min" else NO_MAX)

    def entries(self, name: str, chosen: Flags) -> Entries:
        measured = self._measured(name)[chosen]
        slots = self._frame[f"{_HISTOGRAMS[name].duration}_bucket"][chosen][measured] + 1
        return Entries(measured.astype(np.int64), slots, np.ones(len(slots), dtype=np.int64))

    def _durations(self, name: str) -> Ints:
        return self._frame[f"{_HISTOGRAMS[name].duration}_us"]

    def _measured(self, name: str) -> Flags:
        one = _HISTOGRAMS[name]
        flags: Flags = (self._frame[f"{one.duration}_bucket"] != frames.NO_SAMPLE) & (
            self._frame["failed"] == int(one.failed)
        )
        return flags


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

    def extreme(self, name: str, which: str) -> Ints:
        """`min` or `max` of a histogram's samples, of all entries."""
        return self._joined(lambda part: part.extreme(name, which))

    def entries(self, name: str, chosen: Flags) -> Entries:
        """Histogram entries of the chosen ones."""
        answer, start = [], 0
        for part in self.parts:
            flags = chosen[start : start + part.size]
            start += part.size
            answer.append(part.entries(name, flags) if flags.any() else histogram.no_entries(int(flags.sum())))
        return histogram.concatenate(answer)

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
            stored = rows_of(level, query.scope.organization_id, plan.grain_name, plan.key_id, ranges)
            parts.append(StoredPart(stored, _matching(query, plan, stored)))
            rows += stored.size
    if plan.facts:
        frame, texts = _facts(query, plan, shape)
        parts.append(FactsPart(frame))
        rows += parts[-1].size
    keys = [np.concatenate([part.axis(axis) for part in parts]) for axis in shape.axes] if parts else []
    size = sum(part.size for part in parts)
    matrix = np.stack(keys, axis=1) if keys else np.empty((size, len(shape.axes)), dtype=np.int64)
    seconds = np.concatenate([part.seconds for part in parts]) if parts else np.empty(0, dtype=np.int64)
    return Read(parts, matrix, _bucket_numbers(seconds, shape), rows, texts)


def _matching(query: Query, plan: Plan, stored: Rows) -> Flags | None:
    failures = plan.grain is not None and plan.grain.only_failed
    filters = [one for one in query.filters if not (failures and only_failures(one))]
    return matching.wanted(query.scope, filters, lambda one: stored.column(one.dimension.axis), stored.column)


def _bucket_numbers(seconds: Ints, shape: Shape) -> Ints:
    if shape.starts is None:
        return np.zeros(len(seconds), dtype=np.int64)
    borders = np.array([int(start.timestamp()) for start in shape.starts], dtype=np.int64)
    return np.maximum(np.searchsorted(borders, seconds, side="right") - 1, 0)


def _facts(query: Query, plan: Plan, shape: Shape) -> tuple[Frame, dict[str, dict[int, str]]]:
    key_ids = tuple(dict.fromkeys(one.key_id for one in shape.dimensions if one.key_id is not None))
    only_failed = plan.only_failed or (plan.grain is not None and plan.grain.only_failed)
    frame, raw, keys = _frame(query.scope, plan.facts, query.filters, key_ids, only_failed)
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
    frame, raw = frames.read(facts.filter(failed=True) if failed else facts, _AXES, keys)
    return frame, raw, keys
