"""Answers of many buckets in flat memory, alone or with the earlier period beside them, aligned by position."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, zip_longest
from typing import Final

import numpy as np

from analytics.catalog.measures import Kind
from analytics.cells.cells import Cells
from analytics.query.engine import previous_period, run
from analytics.query.grid import BILLABLE, fold, values
from analytics.query.labels import Labels
from analytics.query.values import Bucket, Compare, Query, Result, Series, Value
from metricsportal.lib.localtime import SUB_HOUR_MINUTES, Interval, bucket_start, buckets, next_bucket_start, zone
from metricsportal.lib.timerange import TimeRange

CELLS: Final = 20_000  # groups x buckets held at once
_AROUND: Final = {Interval.HOUR: Interval.DAY} | dict.fromkeys(SUB_HOUR_MINUTES, Interval.HOUR)


@dataclass(frozen=True, slots=True)
class _Position:
    """One bucket with its groups: requests and values of each."""

    bucket: Bucket
    groups: Mapping[Labels, tuple[int, tuple[Value, ...]]]


def stream(query: Query, now: datetime) -> Iterator[tuple[Bucket | None, Series]]:
    """Every group of every bucket in time order: its values, then those of the earlier period if that is asked for.

    No limit, no rest. A group without requests has the values of nothing. A position that one of the periods does not
    have has no values, and no bucket when that is the asked one: both columns still add up to their totals.
    """
    asked = replace(query, limit=None, other=False, compare=Compare.NONE)
    compared = query.compare is not Compare.NONE
    earlier = _positions(replace(asked, period=previous_period(query)), now) if compared else iter(())
    for here, there in zip_longest(_positions(asked, now), earlier):
        columns = [(one, _of_nothing(query, one, now)) for one in ((here, there) if compared else (here,))]
        for labels in dict.fromkeys(labels for one, _ in columns if one for labels in one.groups):
            found = [(one.groups if one else {}).get(labels, (0, nothing)) for one, nothing in columns]
            total = tuple(value for _, of_period in found for value in of_period)
            yield here.bucket if here and query.interval else None, Series(labels, (), total, (), found[0][0])


def _positions(query: Query, now: datetime) -> Iterator[_Position]:
    """All buckets of the period, the empty ones too; one without an interval."""
    if query.interval is None:
        result = run(query, now)
        totals = {one.labels: (one.total_requests, one.total) for one in result.series if one.total_requests}
        yield _Position(result.buckets[0], totals)
        return
    for whole in _ranges(query, _AROUND.get(query.interval, query.interval)):
        groups = len(run(replace(query, period=whole, interval=None), now).series)
        starts = iter(_ranges(replace(query, period=whole), query.interval))
        while several := list(islice(starts, max(1, CELLS // max(groups, 1)))):
            yield from _buckets(run(replace(query, period=TimeRange(several[0].start, several[-1].end)), now))


def _ranges(query: Query, interval: Interval) -> Iterator[TimeRange]:
    """The buckets of an interval that meet the period, clipped to it."""
    tz = zone(query.scope.zone)
    for start in buckets(query.period, interval, tz):
        end = next_bucket_start(bucket_start(start, interval, tz), interval, tz)
        clipped = TimeRange(start, end).clip(query.period)
        if clipped:
            yield clipped


def _buckets(result: Result) -> Iterator[_Position]:
    for number, bucket in enumerate(result.buckets):
        requests = ((one, one.requests[number]) for one in result.series)
        yield _Position(bucket, {one.labels: (count, one.values[number]) for one, count in requests if count})


def _of_nothing(query: Query, position: _Position | None, now: datetime) -> Sequence[Value]:
    """The values of a group without requests: 0 for counts, none for percentiles; no values without the position."""
    if position is None:
        return (None,) * len(query.selections)
    measures = [selection.measure for selection in query.selections]
    sums = {name for one in measures for name in (*one.over, *one.under, *one.known)} - {"seconds"}
    durations = [one.samples(query.population) for one in measures if one.kind is Kind.DURATION]
    histograms = tuple(dict.fromkeys(name for names in durations for name in names))
    nobody = np.empty(0, dtype=np.int64)
    grid = fold(Cells(nobody.reshape(0, 1)), nobody, (1, 1), sorted({*sums, *BILLABLE}), histograms)
    seconds = max((min(position.bucket.end, now) - position.bucket.start).total_seconds(), 0.0)
    return values(query.selections, grid, [seconds], query.population)[0][0]
