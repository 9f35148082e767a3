"""How much of the traffic that a scope sees carries each metadata key."""

from datetime import datetime, timedelta
from typing import Final

from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import select
from analytics.query import engine
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, Operator, Query, QueryTooLargeError
from metricsportal.lib.localtime import day_start, hour_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

LOOK_BACK: Final = timedelta(days=30)


def coverage(scope: Scope, dimensions: tuple[Dimension, ...], now: datetime) -> dict[str, float | None]:
    """By name: requests with a value / requests, of the last 30 days; None without requests or beyond the budget.

    Of whole hours, which need no facts; the present hour counts while there is no other.
    """
    tz = zone(scope.zone)
    start = day_start(now - LOOK_BACK, tz)
    with snapshot():
        for end in (hour_start(now, tz), now):
            period = TimeRange(start, end)
            total = _requests(scope, period, now) if dimensions else None
            if total:
                break
        return {one.name: _share(scope, one, period, now, total) for one in dimensions}


def _share(scope: Scope, one: Dimension, period: TimeRange, now: datetime, total: int | None) -> float | None:
    having = _requests(scope, period, now, Filter(one, Operator.NNULL)) if total else None
    return None if having is None or not total else having / total


def _requests(scope: Scope, period: TimeRange, now: datetime, *filters: Filter) -> int | None:
    query = Query(scope=scope, period=period, selections=(select("requests"),), filters=filters)
    try:
        return engine.run(query, now).summary.total_requests
    except QueryTooLargeError:
        return None
