"""Answers as flat rows, column by column: every group of every bucket with requests, a part at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from analytics.catalog.columns import Ints
from analytics.cells.cells import distinct
from analytics.query import planner
from analytics.query.blocks import passing
from analytics.query.grid import Wanted, columns_of, fold
from analytics.query.labels import Labels, labels_of
from analytics.query.ranking import order_of
from analytics.query.reader import Read, read
from analytics.query.shapes import needed_for, shape_of
from analytics.query.snapshot import snapshot
from analytics.query.timeline import bucket_list, seconds_of
from analytics.query.values import Bucket, Compare, Query, Value
from metricsportal.lib.timerange import TimeRange

ROWS_AT_ONCE: Final = 20_000
"""About as many rows as are in memory at a time, in whole buckets."""
_MOST_BUCKETS: Final = 200
_HISTOGRAMS_AT_ONCE: Final = 5_000
"""Rows of which the histograms are in memory together."""


@dataclass(frozen=True, slots=True)
class Flat:
    """Some rows. `columns`: one list per selection.

    `buckets` in order of time (one None without an interval) and `groups` are what occurs; `bucket_of` and `group_of`
    are the places of every row among them.
    """

    buckets: Sequence[Bucket | None]
    bucket_of: Sequence[int]
    groups: Sequence[Labels]
    group_of: Sequence[int]
    columns: Sequence[Sequence[Value]]

    def __len__(self) -> int:
        return len(self.group_of)


def flat(query: Query, now: datetime) -> Iterator[Flat]:
    """All rows: buckets in order of time, within one the largest groups by the query's order first, ties by label.

    No limit and no rest. Raises RefusedQueryError.
    """
    complete = replace(query, limit=None, other=False, compare=Compare.NONE, shown=None)
    if query.interval is None:
        found = rows_of_buckets(complete, [Bucket(query.period.start, query.period.end)], now)
        if len(found):
            yield found
        return
    waiting = list(bucket_list(query, now))
    taken, most = 1, 1.0
    while waiting:
        part, waiting = waiting[:taken], waiting[taken:]
        found = rows_of_buckets(complete, part, now)
        if len(found):
            yield found
        most = max(most, len(found) / len(part))
        # After a Sunday, or the few hours of the first day, comes a Monday: no more than twice as many at once.
        taken = max(1, min(_MOST_BUCKETS, 2 * taken, int(ROWS_AT_ONCE / most)))


def rows_of_buckets(query: Query, buckets: Sequence[Bucket], now: datetime) -> Flat:
    """The rows of some buckets of a question that follow each other."""
    with snapshot(), passing():
        return _rows(replace(query, period=TimeRange(buckets[0].start, buckets[-1].end)), buckets, now)


def values_of_nothing(query: Query, bucket: Bucket | None, now: datetime) -> list[Value]:
    """The values of a group without requests: 0 for counts, none for percentiles; no values without the bucket."""
    if bucket is None:
        return [None] * len(query.selections)
    nobody = np.empty(0, dtype=np.int64)
    read = Read([], nobody.reshape(0, 0), nobody)
    sums, histograms = needed_for(query.selections, query.population)
    grid = fold(read, nobody, Wanted(1, None, sorted(sums), histograms))
    return [one for (one,) in columns_of(query.selections, grid, [seconds_of(bucket, now)], query.population)]


def _rows(query: Query, buckets: Sequence[Bucket], now: datetime) -> Flat:
    plan = planner.plan(query)
    shape = replace(
        shape_of(query, now), starts=None if query.interval is None else tuple(one.start for one in buckets)
    )
    found = read(query, plan, shape)
    labels, places = labels_of(shape, found, query.scope.organization_id)
    pairs, rows = distinct(np.stack([found.bucket, places], axis=1))
    by_bucket = [seconds_of(one, now) for one in buckets]
    seconds = [by_bucket[one] for one in pairs[:, 0].tolist()]
    columns, order = _columns(query, found, rows, seconds)
    sorted_ = _sorted(order, pairs, labels, descending=query.descending)
    when, who = pairs[sorted_].T.tolist()
    ordered = sorted_.tolist()
    return Flat(
        [None] if query.interval is None else buckets,
        when,
        labels,
        who,
        [list(map(column.__getitem__, ordered)) for column in columns],
    )


def _columns(query: Query, found: Read, rows: Ints, seconds: Sequence[float]) -> tuple[list[list[Value]], list[Value]]:
    """The values of every selection, and of what the rows are ordered by. `rows`: the row of each entry."""
    order = order_of(query)
    selections = list(dict.fromkeys((*query.selections, order)))
    sums, histograms = needed_for(selections, query.population)
    answer: list[list[Value]] = [[] for _ in selections]
    # The histograms of all rows of a day would be in memory together, many times what their percentiles take.
    for first in range(0, len(seconds), _HISTOGRAMS_AT_ONCE if histograms else max(len(seconds), 1)):
        last = min(first + _HISTOGRAMS_AT_ONCE, len(seconds)) if histograms else len(seconds)
        own = np.where((rows >= first) & (rows < last), rows - first, -1)
        grid = fold(found, own, Wanted(last - first, None, sorted(sums), histograms, sparse=True))
        found_here = columns_of(selections, grid, seconds[first:last], query.population)
        for column, values in zip(answer, found_here, strict=True):
            column.extend(values)
    columns = dict(zip(selections, answer, strict=True))
    return [columns[one] for one in query.selections], columns[order]


def _sorted(order: list[Value], pairs: Ints, labels: Sequence[Labels], *, descending: bool) -> Ints:
    """Places of the rows in their order; no value comes last."""
    by_text = sorted(range(len(labels)), key=lambda one: tuple(label.text for label in labels[one]))
    position = np.empty(len(labels), dtype=np.int64)
    position[by_text] = np.arange(len(labels))
    values = np.array(order, dtype=float)  # None becomes NaN, which sorts last
    answer: Ints = np.lexsort((position[pairs[:, 1]], -values if descending else values, pairs[:, 0]))
    return answer
