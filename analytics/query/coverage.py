"""How much of the traffic that a scope sees carries each metadata key."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from analytics.catalog.columns import NULL
from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import select
from analytics.query import engine, matching
from analytics.query.conditions import scope_axes
from analytics.query.snapshot import snapshot
from analytics.query.stored import rows_of
from analytics.query.values import Filter, Operator, Query, RefusedQueryError
from metricsportal.lib.localtime import day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

LOOK_BACK: Final = timedelta(days=30)
_GRAIN: Final = "team_metadata"
_AXIS: Final = "metadata_value_id"


def coverage(scope: Scope, dimensions: tuple[Dimension, ...], now: datetime) -> dict[str, float | None]:
    """By name: requests with a value / requests, of the last 30 days; None without requests or a complete answer.

    Of what is rolled up, where that is anything: two statements for all keys, because every page with a menu of keys
    asks. Else from the requests themselves.
    """
    period = TimeRange(day_start(now - LOOK_BACK, zone(scope.zone)), now)
    with snapshot():
        keys = tuple(one.key_id for one in dimensions if one.key_id is not None)
        known = dict(_rolled_up(scope, period, keys)) if scope_axes(scope) <= {"team_id"} else {}
        total = _requests(scope, period, now) if any(one.key_id not in known for one in dimensions) else None
        return {
            one.name: known[one.key_id] if one.key_id in known else _asked(scope, one, period, now, total)
            for one in dimensions
        }


def _rolled_up(scope: Scope, period: TimeRange, keys: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Shares by id of the key, from whole days and the hours of the last one."""
    today = day_start(period.end, zone(scope.zone))
    levels = (("day", (TimeRange(period.start, today),)), ("hour", (TimeRange(today, period.end),)))
    sums: dict[int, tuple[int, int]] = {}
    for key_id in keys:
        for level, ranges in levels:
            stored = rows_of(level, scope.organization_id, _GRAIN, key_id, ranges)
            seen = matching.seen(scope, stored.kept.column)
            requests = stored.kept.column("requests") if seen is None else stored.kept.column("requests")[seen]
            values = stored.kept.column(_AXIS) if seen is None else stored.kept.column(_AXIS)[seen]
            before = sums.get(key_id, (0, 0))
            sums[key_id] = (before[0] + int(requests.sum()), before[1] + int(requests[values != NULL].sum()))
    yield from ((key_id, having / total) for key_id, (total, having) in sums.items() if total)


def _asked(scope: Scope, one: Dimension, period: TimeRange, now: datetime, total: int | None) -> float | None:
    having = _requests(scope, period, now, Filter(one, Operator.NNULL)) if total else None
    return None if having is None or not total else having / total


def _requests(scope: Scope, period: TimeRange, now: datetime, *filters: Filter) -> int | None:
    query = Query(scope=scope, period=period, selections=(select("requests"),), filters=filters)
    try:
        return engine.run(query, now).summary.total_requests
    except RefusedQueryError:
        return None
