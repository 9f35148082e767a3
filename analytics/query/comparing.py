"""Flat rows of two periods side by side, aligned by position: the asked one's values, then those of the earlier one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest

from analytics.query.engine import previous_period
from analytics.query.flat import ROWS_AT_ONCE, Flat, rows_of_buckets, values_of_nothing
from analytics.query.labels import Labels
from analytics.query.timeline import bucket_list
from analytics.query.values import Bucket, Compare, Query, Value

_MOST_BUCKETS = 200
_Row = tuple[int, Labels]


def compared(query: Query, now: datetime) -> Iterator[Flat]:
    """Every group of every position that has requests in either period. Raises RefusedQueryError.

    A group without requests has the values of nothing. A position that one of the periods does not have has no values,
    and no bucket when that is the asked one: both halves of the columns still add up to their totals.
    """
    asked = replace(query, limit=None, other=False, compare=Compare.NONE, shown=None)
    earlier = replace(asked, period=previous_period(query))
    positions = list(zip_longest(bucket_list(asked, now), bucket_list(earlier, now)))
    taken = 1 if query.interval else len(positions)
    while positions:
        part, positions = positions[:taken], positions[taken:]
        found = _side_by_side(asked, earlier, part, now)
        if len(found):
            yield found
        taken = max(1, min(_MOST_BUCKETS, 2 * taken, ROWS_AT_ONCE * len(part) // max(len(found), 1)))


def _side_by_side(
    asked: Query, earlier: Query, part: Sequence[tuple[Bucket | None, Bucket | None]], now: datetime
) -> Flat:
    halves = [_by_row(asked, [one for one, _ in part], now), _by_row(earlier, [one for _, one in part], now)]
    order = sorted(dict.fromkeys(row for half in halves for row in half), key=lambda row: row[0])
    nothing = [
        [values_of_nothing(query, one, now) for one in buckets]
        for query, buckets in ((asked, [one for one, _ in part]), (earlier, [one for _, one in part]))
    ]
    rows = [
        [value for half, empty in zip(halves, nothing, strict=True) for value in half.get(row) or empty[row[0]]]
        for row in order
    ]
    groups = {labels: number for number, labels in enumerate(dict.fromkeys(labels for _, labels in order))}
    return Flat(
        [one if asked.interval else None for one, _ in part],
        [position for position, _ in order],
        list(groups),
        [groups[labels] for _, labels in order],
        list(zip(*rows, strict=True)),
    )


def _by_row(query: Query, buckets: Sequence[Bucket | None], now: datetime) -> dict[_Row, tuple[Value, ...]]:
    there = [one for one in buckets if one is not None]
    if not there:
        return {}
    found = rows_of_buckets(query, there, now)
    values = zip(*found.columns, strict=True) if found.columns else [()] * len(found)
    keys = zip(found.bucket_of, (found.groups[one] for one in found.group_of), strict=True)
    return dict(zip(keys, values, strict=True))
