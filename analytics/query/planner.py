"""Which source answers a question: the smallest grain that covers it, single requests within a budget, or none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max, Q, Sum

from analytics.catalog.dimensions import Dimension
from analytics.catalog.grains import GRAINS, REQUESTS, Grain
from analytics.models import DayAggregate, HourAggregate
from analytics.query.conditions import scope_axes
from analytics.query.facts import scoped_facts
from analytics.query.keeping import require_kept
from analytics.query.segments import Ranges, in_quarters, inhabited, joined, pending_hours, segments
from analytics.query.snapshot import once
from analytics.query.values import Filter, Operator, Query, QueryTooLargeError
from ingestion.records import CostState
from metricsportal.lib.localtime import (
    SEVERAL_HOURS,
    SUB_HOUR_MINUTES,
    Interval,
    hour_start,
    next_hour_start,
    zone,
)
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_PARTS_OF_DAYS: Final = (Interval.HOUR, *SEVERAL_HOURS)
_WHOLE: Final = "total"
_NOT_KEPT: Final = frozenset({"trace_id", "request_id"})  # texts, one per request: not among the columns
_RECENT: Final = timedelta(days=7)  # days by which grains are compared


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each part of the period is read from; together they cover it exactly once.

    `days`, `hours`, `quarters`: aggregates of the grain. `requests`: single requests as the rollup kept them, in
    columns. `facts`: the table of requests, for hours whose rollup is behind and for filters on what columns do not
    keep.
    """

    grain: Grain | None
    key_id: int | None
    days: tuple[TimeRange, ...]
    hours: tuple[TimeRange, ...]
    requests: tuple[TimeRange, ...]
    facts: tuple[TimeRange, ...]
    stale_hours: int = 0
    only_failed: bool = False
    quarters: tuple[TimeRange, ...] = ()

    @property
    def grain_name(self) -> str:
        """Name of the grain as stored, "" for single requests alone."""
        return self.grain.name if self.grain else ""

    @property
    def axes(self) -> str:
        """For people: team, model; "" for facts alone."""
        return ", ".join(axis.removesuffix("_id") for axis in self.grain.axes) if self.grain else ""

    @property
    def source(self) -> str:
        """For people: day (team, model) + hour + facts."""
        levels = (("day", self.days), ("hour", self.hours), ("quarter", self.quarters))
        parts = [f"{level} ({self.axes})" for level, used in levels if used]
        single = [name for name, used in (("requests", self.requests), ("facts", self.facts)) if used]
        return " + ".join([*parts, *single]) or "nothing"


def plan(query: Query) -> Plan:
    """The plan of a question.

    Raises QueryTooLargeError when only too many single requests could answer it, NotKeptError when only ones that were
    removed.
    """
    made = _plan(query)
    require_kept(query, made)
    return made


def _plan(query: Query) -> Plan:
    grain, key_id = covering_grain(query)
    org, zone_name = query.scope.organization_id, query.scope.zone
    pending = pending_hours(org, zone_name, query.period)
    period = inhabited(org, zone_name, query.period)
    if grain is None or query.interval in SUB_HOUR_MINUTES:
        return _by_quarter(query, period, pending) or _one_by_one(query, period, pending)
    use_days = query.interval not in _PARTS_OF_DAYS
    current = segments(org, zone_name, period, use_days=use_days, pending=pending)
    requests, facts = _sources(query, current.rest, pending)
    if _affordable(query, requests, facts):
        return Plan(grain, key_id, current.days, current.hours, requests, facts)
    if not pending:
        raise _too_large(query)
    stale = segments(org, zone_name, period, use_days=use_days, pending=frozenset())
    requests, facts = _sources(query, stale.rest, frozenset())
    if not _affordable(query, requests, facts):
        raise _too_large(query)
    return Plan(grain, key_id, stale.days, stale.hours, requests, facts, stale_hours=len(pending))


def covering_grain(query: Query, among: Sequence[Grain] = GRAINS) -> tuple[Grain | None, int | None]:
    """The grain with the fewest cells that has every axis of grouping, filters and scope; None: facts must answer."""
    filters = tuple(one for one in query.filters if not only_failures(one))
    dimensions = (*query.group_by, *(one.dimension for one in filters))
    keys = {one.key_id for one in dimensions if one.key_id is not None}
    if len(keys) > 1:
        return None, None
    need = {one.axis for one in dimensions} | scope_axes(query.scope)
    fitting = [grain for grain in among if need <= {*grain.axes} and grain.per_metadata_key == bool(keys)]
    failed = len(filters) < len(query.filters)
    # Grains of failures count nothing else: for those who ask about nothing else, and only where no other has the axes.
    usual = [] if failed else [grain for grain in fitting if not grain.only_failed]
    few = [grain for grain in fitting if grain.only_failed] if failed or _asks_failed_only(query) else []
    key_id = next(iter(keys), None)
    sizes = _sizes(query.scope.organization_id, key_id)
    smallest = min(usual or few, key=lambda grain: (sizes.get(grain.name, 0), len(grain.axes)), default=None)
    return (smallest, key_id) if smallest else (None, None)


def only_failures(one: Filter) -> bool:
    """Whether a filter says what grains of failures hold anyway."""
    return one.dimension.name == "failed" and one.operator is Operator.EQ and one.values == ("true",)


@once
def _sizes(organization_id: int, key_id: int | None) -> dict[str, int]:
    """Cells per grain in the newest days that are rolled up."""
    rows = DayAggregate.objects.filter(organization_id=organization_id)
    newest = rows.aggregate(newest=Max("bucket_start"))["newest"]
    if newest is None:
        return {}
    recent = rows.filter(bucket_start__gt=newest - _RECENT).filter(Q(metadata_key=None) | Q(metadata_key=key_id))
    return dict(recent.order_by().values("grain").annotate(total=Sum("cells")).values_list("grain", "total"))


def _asks_failed_only(query: Query) -> bool:
    return all(selection.measure.only_failed for selection in query.selections)


def _by_quarter(query: Query, period: TimeRange, pending: frozenset[datetime]) -> Plan | None:
    """Whole quarters of an hour from their cells, the two that the period cuts from single requests."""
    if query.interval is not Interval.QUARTER_HOUR:
        return None
    grain, key_id = covering_grain(query, [one for one in GRAINS if one.quarters])
    if grain is None:
        return None
    requests, facts = _sources(query, (period,), pending)
    quarters, requests = in_quarters(requests)
    made = Plan(grain, key_id, (), (), requests, facts, quarters=quarters)
    return made if _affordable(query, requests, facts) else None


def _one_by_one(query: Query, period: TimeRange, pending: frozenset[datetime]) -> Plan:
    requests, facts = _sources(query, (period,), pending)
    if not _affordable(query, requests, facts) and any(_indexed(one) for one in query.filters):
        requests, facts = (), joined([period])
    if not _affordable(query, requests, facts):
        raise _too_large(query)
    return Plan(None, None, (), (), requests, facts, only_failed=_asks_failed_only(query))


def _indexed(one: Filter) -> bool:
    """Whether the table of requests finds the few that match without reading the others."""
    return one.operator is Operator.EQ and (
        one.dimension.name == "user" or (one.dimension.name, one.values) == ("cost_state", (CostState.UNPRICED,))
    )


def _sources(query: Query, ranges: Ranges, pending: frozenset[datetime]) -> tuple[Ranges, Ranges]:
    """Which of the ranges the kept requests answer, and which the facts must."""
    if any(one.dimension.axis in _NOT_KEPT for one in query.filters):
        return (), joined([*ranges])
    tz = zone(query.scope.zone)
    behind = [
        found
        for start in sorted(pending)
        for one in ranges
        if (found := one.clip(TimeRange(start, next_hour_start(start, tz))))
    ]
    return joined([left for one in ranges for left in _without(one, behind)]), joined(behind)


def _without(whole: TimeRange, holes: list[TimeRange]) -> Iterator[TimeRange]:
    """What is left of a range; the holes are in order and do not overlap."""
    start = whole.start
    for hole in holes:
        if whole.clip(hole):
            yield TimeRange(start, max(start, hole.start))
            start = max(start, hole.end)
    yield TimeRange(start, max(start, whole.end))


def _affordable(query: Query, requests: Ranges, facts: Ranges) -> bool:
    return not _too_many(query, facts) and _kept(query, requests) <= settings.QUERY_REQUEST_BUDGET


def _kept(query: Query, ranges: Ranges) -> int:
    """Number of kept requests in the hours of the ranges."""
    tz, total = zone(query.scope.zone), 0
    for one in ranges:
        total += _kept_between(query.scope.organization_id, hour_start(one.start, tz), one.end)
    return total


@once
def _kept_between(organization_id: int, start: datetime, end: datetime) -> int:
    rows = HourAggregate.objects.filter(organization_id=organization_id, grain=REQUESTS, metadata_key=None)
    found = rows.filter(bucket_start__gte=start, bucket_start__lt=end).aggregate(total=Sum("requests"))
    return int(found["total"] or 0)


def _too_many(query: Query, periods: Ranges) -> bool:
    budget: int = settings.QUERY_FACT_BUDGET
    return bool(periods) and _facts_up_to(budget + 1, query.scope, periods, query.filters) > budget


@once
def _facts_up_to(most: int, scope: Scope, periods: tuple[TimeRange, ...], filters: tuple[Filter, ...]) -> int:
    """Number of facts, not counted beyond `most`."""
    return int(scoped_facts(scope, periods, filters).order_by()[:most].count())


def _too_large(query: Query) -> QueryTooLargeError:
    """The refusal, with an estimate from the counters."""
    rows = HourAggregate.objects.filter(
        organization_id=query.scope.organization_id,
        grain=_WHOLE,
        bucket_start__gte=query.period.start,
        bucket_start__lt=query.period.end,
    )
    budget: int = settings.QUERY_REQUEST_BUDGET
    estimate = max(rows.aggregate(total=Sum("requests"))["total"] or 0, budget + 1)
    days = query.period.length.total_seconds() / 86400 * budget / estimate
    narrower = (
        f"narrow the range to about {days:.0f} days" if days >= 2 else f"narrow the range to {days * 24:.0f} hours"
    )
    uncovered = sorted({one.dimension.label for one in query.filters if not _in_some_grain(one.dimension)})
    removal = (f"remove the filter on {', '.join(uncovered)}",) if uncovered else ()
    return QueryTooLargeError(int(estimate), budget, (narrower, *removal, "use an interval of an hour or more"))


def _in_some_grain(dimension: Dimension) -> bool:
    return any(dimension.axis in grain.axes for grain in GRAINS if not grain.only_failed)
