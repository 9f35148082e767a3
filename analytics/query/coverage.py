"""How much of the traffic that a scope sees carries each metadata key."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet, Sum

from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import select
from analytics.models import DayAggregate, HourAggregate
from analytics.query import engine
from analytics.query.conditions import scope_axes, scope_condition
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, Operator, Query, RefusedQueryError
from metricsportal.lib.localtime import day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

LOOK_BACK: Final = timedelta(days=30)
_GRAIN: Final = "metadata"


def coverage(scope: Scope, dimensions: tuple[Dimension, ...], now: datetime) -> dict[str, float | None]:
    """By name: requests with a value / requests, of the last 30 days; None without requests or a complete answer.

    Of what is rolled up, where that is anything: two statements for all keys, because every page with a menu of keys
    asks. Else from the requests themselves.
    """
    period = TimeRange(day_start(now - LOOK_BACK, zone(scope.zone)), now)
    with snapshot():
        known = dict(_rolled_up(scope, period)) if scope_axes(scope) <= {"team_id"} else {}
        total = _requests(scope, period, now) if any(one.key_id not in known for one in dimensions) else None
        return {
            one.name: known[one.key_id] if one.key_id in known else _asked(scope, one, period, now, total)
            for one in dimensions
        }


def _rolled_up(scope: Scope, period: TimeRange) -> Iterator[tuple[int | None, float]]:
    """Shares by id of the key, from whole days and the hours of the last one."""
    today = day_start(period.end, zone(scope.zone))
    days = DayAggregate.objects.filter(bucket_start__gte=period.start, bucket_start__lt=today)
    hours = HourAggregate.objects.filter(bucket_start__gte=today, bucket_start__lt=period.end)
    sums: dict[int | None, tuple[int, int]] = {}
    for rows in (_sums(days, scope), _sums(hours, scope)):
        for key_id, total, having in rows:
            before = sums.get(key_id, (0, 0))
            sums[key_id] = (before[0] + total, before[1] + having)
    yield from ((key_id, having / total) for key_id, (total, having) in sums.items() if total)


def _sums(table: QuerySet[DayAggregate] | QuerySet[HourAggregate], scope: Scope) -> list[tuple[int | None, int, int]]:
    rows = table.filter(scope_condition(scope), grain=_GRAIN).order_by().values("metadata_key_id")
    having = Sum("requests", filter=Q(metadata_value_id__isnull=False), default=0)
    return list(rows.annotate(total=Sum("requests"), having=having).values_list("metadata_key_id", "total", "having"))


def _asked(scope: Scope, one: Dimension, period: TimeRange, now: datetime, total: int | None) -> float | None:
    having = _requests(scope, period, now, Filter(one, Operator.NNULL)) if total else None
    return None if having is None or not total else having / total


def _requests(scope: Scope, period: TimeRange, now: datetime, *filters: Filter) -> int | None:
    query = Query(scope=scope, period=period, selections=(select("requests"),), filters=filters)
    try:
        return engine.run(query, now).summary.total_requests
    except RefusedQueryError:
        return None
