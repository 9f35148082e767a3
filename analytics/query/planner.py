"""Which source answers a question: the smallest grain that covers it, facts within a budget, or a refusal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max, Min, Sum

from analytics.catalog.dimensions import Dimension
from analytics.catalog.grains import GRAINS, Grain
from analytics.models import ChangedDay, DayAggregate, HourAggregate
from analytics.query.conditions import scope_axes
from analytics.query.facts import scoped_facts
from analytics.query.snapshot import once
from analytics.query.values import Filter, Query, QueryTooLargeError
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib.localtime import (
    SEVERAL_HOURS,
    SUB_HOUR_MINUTES,
    Interval,
    day_start,
    hour_start,
    next_day_start,
    next_hour_start,
    zone,
)
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_PARTS_OF_DAYS: Final = (Interval.HOUR, *SEVERAL_HOURS)
_LONG: Final = timedelta(days=800)  # a plan takes one step per day


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each part of the period is read from; together they cover it exactly once."""

    grain: Grain | None
    key_id: int | None
    days: tuple[TimeRange, ...]
    hours: tuple[TimeRange, ...]
    facts: tuple[TimeRange, ...]
    stale_hours: int = 0
    only_failed: bool = False

    @property
    def grain_name(self) -> str:
        """Name of the grain as stored, "" for facts alone."""
        return self.grain.name if self.grain else ""

    @property
    def axes(self) -> str:
        """For people: team, model; "" for facts alone."""
        return ", ".join(axis.removesuffix("_id") for axis in self.grain.axes) if self.grain else ""

    @property
    def source(self) -> str:
        """For people: day (team, model) + hour + facts."""
        parts = [f"{level} ({self.axes})" for level, used in (("day", self.days), ("hour", self.hours)) if used]
        return " + ".join([*parts, *(["facts"] if self.facts else [])]) or "nothing"


def plan(query: Query) -> Plan:
    """The plan of a question; raises QueryTooLargeError when only too many facts could answer it."""
    grain, key_id = covering_grain(query)
    if grain is None or query.interval in SUB_HOUR_MINUTES:
        return _from_facts(query)
    segments = _segments(query, use_days=query.interval not in _PARTS_OF_DAYS)
    pending = _pending_hours(query)
    if not pending and not _too_many(query, segments.facts):
        return Plan(grain, key_id, segments.days, segments.hours, segments.facts)
    with_pending = _segments(query, use_days=query.interval not in _PARTS_OF_DAYS, pending=pending)
    if not _too_many(query, with_pending.facts):
        return Plan(grain, key_id, with_pending.days, with_pending.hours, with_pending.facts)
    if _too_many(query, segments.facts):
        raise _too_large(query)
    return Plan(grain, key_id, segments.days, segments.hours, segments.facts, stale_hours=len(pending))


def covering_grain(query: Query) -> tuple[Grain | None, int | None]:
    """The first grain that has every axis of grouping, filters and scope; None when facts must answer."""
    dimensions = (*query.group_by, *(one.dimension for one in query.filters))
    keys = {one.key_id for one in dimensions if one.key_id is not None}
    if len(keys) > 1:
        return None, None
    need = {one.axis for one in dimensions} | scope_axes(query.scope)
    failed_only = _asks_failed_only(query)
    for grain in GRAINS:
        if need <= {*grain.axes} and grain.per_metadata_key == bool(keys) and (failed_only or not grain.only_failed):
            return grain, next(iter(keys), None)
    return None, None


def _asks_failed_only(query: Query) -> bool:
    return all(selection.measure.only_failed for selection in query.selections)


def _from_facts(query: Query) -> Plan:
    if _too_many(query, (query.period,)):
        raise _too_large(query)
    return Plan(None, None, (), (), (query.period,), only_failed=_asks_failed_only(query))


def _too_many(query: Query, periods: tuple[TimeRange, ...]) -> bool:
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
        grain=GRAINS[0].name,
        metadata_key=None,
        bucket_start__gte=query.period.start,
        bucket_start__lt=query.period.end,
    )
    budget: int = settings.QUERY_FACT_BUDGET
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


def _pending_hours(query: Query) -> frozenset[datetime]:
    """Hours whose facts changed after their rollup."""
    start = hour_start(query.period.start, zone(query.scope.zone))
    return _changed_hours(query.scope.organization_id, start, query.period.end)


@once
def _changed_hours(organization_id: int, start: datetime, end: datetime) -> frozenset[datetime]:
    rows = ChangedHour.objects.filter(organization_id=organization_id, hour_start__gte=start, hour_start__lt=end)
    return frozenset(rows.order_by().values_list("hour_start", flat=True).distinct())


def _pending_days(query: Query) -> frozenset[datetime]:
    start = day_start(query.period.start, zone(query.scope.zone))
    return _changed_days(query.scope.organization_id, start, query.period.end)


@once
def _changed_days(organization_id: int, start: datetime, end: datetime) -> frozenset[datetime]:
    rows = ChangedDay.objects.filter(organization_id=organization_id, day_start__gte=start, day_start__lt=end)
    return frozenset(rows.order_by().values_list("day_start", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class _Segments:
    days: tuple[TimeRange, ...]
    hours: tuple[TimeRange, ...]
    facts: tuple[TimeRange, ...]


def _segments(query: Query, *, use_days: bool, pending: frozenset[datetime] = frozenset()) -> _Segments:
    """Cut the period: whole clean days, whole clean hours, and the rest (edges, pending hours) from facts."""
    tz, period = zone(query.scope.zone), _inhabited(query)
    first = hour_start(period.start, tz)
    first = first if first == period.start else next_hour_start(first, tz)
    last = hour_start(period.end, tz)
    if first >= last:
        return _Segments((), (), (period,) if period.seconds else ())
    dirty_days = _pending_days(query) | {day_start(hour, tz) for hour in pending} if use_days else frozenset[datetime]()
    days: list[TimeRange] = []
    hours: list[TimeRange] = []
    facts = [TimeRange(period.start, first), TimeRange(last, period.end)]
    cursor = first
    while cursor < last:
        midnight, following = day_start(cursor, tz), next_day_start(cursor, tz)
        if use_days and cursor == midnight and following <= last and midnight not in dirty_days:
            days.append(TimeRange(cursor, following))
            cursor = following
            continue
        end = next_hour_start(cursor, tz)
        (facts if cursor in pending else hours).append(TimeRange(cursor, end))
        cursor = end
    return _Segments(_joined(days), _joined(hours), _joined(facts))


def _inhabited(query: Query) -> TimeRange:
    """The period; a very long one without the years before the first and after the last data, which need no steps."""
    period = query.period
    if period.length <= _LONG:
        return period
    own = {"organization_id": query.scope.organization_id}
    facts = LLMRequest.objects.filter(**own).aggregate(first=Min("started_at"), last=Max("started_at"))
    stored = DayAggregate.objects.filter(**own).aggregate(first=Min("bucket_start"), last=Max("bucket_start"))
    first = [moment for moment in (facts["first"], stored["first"]) if moment]
    last = [moment for moment in (facts["last"], stored["last"]) if moment]
    if not first:
        return TimeRange(period.start, period.start)
    tz = zone(query.scope.zone)
    known = TimeRange(day_start(min(first), tz), next_day_start(max(last), tz))
    return period.clip(known) or TimeRange(period.start, period.start)


def _joined(ranges: list[TimeRange]) -> tuple[TimeRange, ...]:
    """Adjacent ranges as one; empty ones dropped."""
    answer: list[TimeRange] = []
    for one in sorted((one for one in ranges if one.seconds), key=lambda item: item.start):
        if answer and answer[-1].end == one.start:
            answer[-1] = TimeRange(answer[-1].start, one.end)
        else:
            answer.append(one)
    return tuple(answer)
