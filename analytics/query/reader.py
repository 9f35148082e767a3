"""Read the segments of a plan into cells: aggregates added up by the database, facts by numpy, in equal columns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import BigIntegerField, Case, F, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from analytics.catalog.columns import MONEY, Frame, Ints
from analytics.catalog.dimensions import DIMENSIONS, Dimension
from analytics.cells import frame as frames
from analytics.cells.cells import NO_MAX, NO_MIN, Cells, concatenate, from_facts
from analytics.cells.expressions import Concat, EpochSeconds
from analytics.models import DayAggregate, HourAggregate
from analytics.query.conditions import condition, scope_condition
from analytics.query.explaining import note
from analytics.query.facts import scoped_facts
from analytics.query.planner import Plan
from analytics.query.snapshot import once
from analytics.query.values import Filter, Query
from ingestion.models import MetadataKey, MetadataValue
from ingestion.writer.bulk import read_rows
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

REST: Final = -2
"""Key of everything whose id is not in `Shape.keep`."""
_BILLION: Final = 10**9
_AXES: Final = (*dict.fromkeys(one.axis for one in DIMENSIONS if one.groupable), "second")


@dataclass(frozen=True, slots=True)
class Shape:
    """What to read: one cell per combination of the dimensions' axes and per bucket.

    `keep`: ids of the only axis that stay apart, the rest is added up as REST. `starts`: bucket starts, None = one
    bucket for the whole period. `sums`, `histograms`: columns wanted.
    """

    dimensions: tuple[Dimension, ...]
    starts: tuple[datetime, ...] | None
    sums: tuple[str, ...]
    histograms: tuple[str, ...]
    keep: frozenset[int] | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """Integer columns to group by; two dimensions may share one."""
        return tuple(dict.fromkeys(frame_axis(one) for one in self.dimensions))


@dataclass(slots=True)
class Read:
    """Cells keyed by the axes of the shape and, last, the bucket number. `texts`: labels of ids without a row."""

    cells: Cells
    rows: int = 0
    texts: dict[str, dict[int, str]] = field(default_factory=dict)


def frame_axis(dimension: Dimension) -> str:
    """The column of a dimension; metadata keys have one each."""
    return dimension.axis if dimension.key_id is None else frames.metadata_axis(dimension.key_id)


def read(query: Query, plan: Plan, shape: Shape) -> Read:
    """All segments of the plan. Call it inside a snapshot."""
    parts, texts, rows = [], dict[str, dict[int, str]](), 0
    for source, table, ranges in (("day", DayAggregate, plan.days), ("hour", HourAggregate, plan.hours)):
        if ranges:
            started = time.monotonic()
            cells, count = _aggregates(query, plan, shape, table._default_manager.all(), ranges)
            note(source, plan.axes, ranges, count, started)
            parts.append(cells)
            rows += count
    if plan.facts:
        started = time.monotonic()
        cells, count, texts = _facts(query, plan, shape)
        note("facts", "", plan.facts, count, started)
        parts.append(cells)
        rows += count
    return Read(concatenate(parts, len(shape.axes) + 1), rows, texts)


def _aggregates(
    query: Query, plan: Plan, shape: Shape, table: QuerySet[Any], ranges: Sequence[TimeRange]
) -> tuple[Cells, int]:
    within = Q(pk__in=[])
    for one in ranges:
        within |= Q(bucket_start__gte=one.start, bucket_start__lt=one.end)
    rows = table.filter(scope_condition(query.scope), grain=plan.grain_name, metadata_key_id=plan.key_id).filter(within)
    for one_filter in query.filters:
        rows = rows.filter(condition(one_filter, query.scope.organization_id))
    columns = {f"axis{number}": _key(axis, shape.keep) for number, axis in enumerate(shape.axes)}
    if shape.starts is not None:
        columns["second"] = EpochSeconds(F("bucket_start"))
    grouped = rows.order_by().annotate(**columns).values(*columns).annotate(**_sums(shape))
    found = read_rows(grouped.values_list(*columns, *_sums(shape))) if columns else [_overall(rows, shape)]
    return _cells_of(found, shape), len(found)


def _overall(rows: QuerySet[Any], shape: Shape) -> tuple[Any, ...]:
    return tuple(rows.order_by().aggregate(**_sums(shape)).values())


def _key(axis: str, keep: frozenset[int] | None) -> Combinable:
    column = axis.partition(":")[0]
    if keep is None:
        return Coalesce(F(column), Value(frames.NULL), output_field=BigIntegerField())
    kept = [When(**{f"{column}__in": sorted(one for one in keep if one >= 0)}, then=F(column))]
    if frames.NULL in keep:
        kept.append(When(**{f"{column}__isnull": True}, then=Value(frames.NULL)))
    return Case(*kept, default=Value(REST), output_field=BigIntegerField())


def _sums(shape: Shape) -> dict[str, Any]:
    """Aggregates by alias; aliases are ours. Money is summed in two halves, so that no database overflows."""
    answer: dict[str, Any] = {}
    for name in shape.sums:
        if name in MONEY:
            answer[f"high_{name}"] = _whole(Sum(F(name) / Value(_BILLION)))
            answer[f"low_{name}"] = _whole(Sum(F(name) % Value(_BILLION)))
        else:
            answer[f"sum_{name}"] = _whole(Sum(name))
    for name in shape.histograms:
        answer[f"sum_{name}_count"] = _whole(Sum(f"{name}_count"))
        answer[f"sum_{name}_sum"] = _whole(Sum(f"{name}_sum"))
        answer[f"min_{name}"] = Coalesce(Min(f"{name}_min"), Value(NO_MIN), output_field=BigIntegerField())
        answer[f"max_{name}"] = Coalesce(Max(f"{name}_max"), Value(NO_MAX), output_field=BigIntegerField())
        answer[f"all_{name}"] = Concat(f"{name}_hist")
    return answer


def _whole(total: Any) -> Any:
    return Coalesce(Cast(total, BigIntegerField()), Value(0), output_field=BigIntegerField())


def _cells_of(found: list[tuple[Any, ...]], shape: Shape) -> Cells:
    width = len(shape.axes)
    if not found:
        return Cells(np.empty((0, width + 1), dtype=np.int64))
    columns = iter(zip(*found, strict=True))
    keys = [np.array(next(columns), dtype=np.int64) for _ in range(width)]
    seconds = np.array(next(columns), dtype=np.int64) if shape.starts is not None else None
    cells = Cells(np.stack([*keys, _bucket_numbers(seconds, shape, len(found))], axis=1))
    for name in shape.sums:
        if name in MONEY:
            high, low = (np.array(next(columns), dtype=object) for _ in range(2))
            cells.sums[name] = high * _BILLION + low
        else:
            cells.sums[name] = np.array(next(columns), dtype=np.int64)
    for name in shape.histograms:
        cells.sums[f"{name}_count"] = np.array(next(columns), dtype=np.int64)
        cells.sums[f"{name}_sum"] = np.array(next(columns), dtype=np.int64)
        cells.mins[name] = np.array(next(columns), dtype=np.int64)
        cells.maxs[name] = np.array(next(columns), dtype=np.int64)
        cells.records[name] = [bytes(text or b"") for text in next(columns)]
    return cells


def _bucket_numbers(seconds: Ints | None, shape: Shape, size: int) -> Ints:
    if seconds is None or shape.starts is None:
        return np.zeros(size, dtype=np.int64)
    borders = np.array([int(start.timestamp()) for start in shape.starts], dtype=np.int64)
    return np.maximum(np.searchsorted(borders, seconds, side="right") - 1, 0)


def _facts(query: Query, plan: Plan, shape: Shape) -> tuple[Cells, int, dict[str, dict[int, str]]]:
    key_ids = tuple(dict.fromkeys(one.key_id for one in shape.dimensions if one.key_id is not None))
    only_failed = plan.only_failed or (plan.grain is not None and plan.grain.only_failed)
    frame, raw, keys = _frame(query.scope, plan.facts, query.filters, key_ids, only_failed)
    columns, texts = dict(frame), dict[str, dict[int, str]]()
    for key in keys:
        axis = frames.metadata_axis(key.pk)
        wanted = {text for text in raw[axis] if text is not None}
        known = dict(MetadataValue.objects.filter(key=key, name__in=wanted).values_list("name", "pk"))
        columns[axis], texts[axis] = frames.number_texts(raw[axis], known)
    size = len(columns["second"])
    ids = [_kept(columns[axis], shape.keep) for axis in shape.axes]
    matrix = np.stack([*ids, _bucket_numbers(columns["second"], shape, size)], axis=1)
    return _only(from_facts(columns, matrix), shape), size, texts


@once
def _frame(
    scope: Scope, periods: tuple[TimeRange, ...], filters: tuple[Filter, ...], key_ids: tuple[int, ...], failed: bool
) -> tuple[Frame, dict[str, list[str | None]], list[MetadataKey]]:
    """The facts of a question with every axis: all panels of a page ask about the same ones."""
    facts = scoped_facts(scope, periods, filters)
    keys = [MetadataKey.objects.get(pk=pk) for pk in key_ids]
    frame, raw = frames.read(facts.filter(failed=True) if failed else facts, _AXES, keys)
    return frame, raw, keys


def _kept(ids: Ints, keep: frozenset[int] | None) -> Ints:
    return ids if keep is None else np.where(np.isin(ids, sorted(keep)), ids, REST)


def _only(cells: Cells, shape: Shape) -> Cells:
    """Without the columns that were not asked for, so that cells of all sources have the same ones."""
    if not len(cells):
        return cells
    parts = tuple(f"{name}_{part}" for name in shape.histograms for part in ("count", "sum"))
    return Cells(
        cells.keys,
        {name: cells.sums[name] for name in (*shape.sums, *parts)},
        {name: cells.mins[name] for name in shape.histograms},
        {name: cells.maxs[name] for name in shape.histograms},
        {name: cells.records[name] for name in shape.histograms},
    )
