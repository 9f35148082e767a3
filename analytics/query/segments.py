"""A period cut into what its parts are read from: whole days, whole hours, and the rest, entry by entry."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Max, Min

from analytics.catalog.grains import QUARTER_SECONDS
from analytics.models import ChangedDay, DayAggregate
from analytics.query.keeping import kept
from analytics.query.snapshot import once
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib.localtime import day_start, hour_start, next_day_start, next_hour_start, zone
from metricsportal.lib.timerange import TimeRange

Ranges = tuple[TimeRange, ...]
_LONG: Final = timedelta(days=800)  # cutting takes one step per day
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER: Final = timedelta(seconds=QUARTER_SECONDS)


@once
def pending_hours(organization_id: int, zone_name: str, period: TimeRange) -> frozenset[datetime]:
    """Hours of the period whose facts changed after their rollup."""
    start = max(hour_start(period.start, zone(zone_name)), kept(organization_id).requests)  # earlier hours are final
    rows = ChangedHour.objects.filter(organization_id=organization_id, hour_start__gte=start, hour_start__lt=period.end)
    return frozenset(rows.order_by().values_list("hour_start", flat=True).distinct())


@once
def _pending_days(organization_id: int, zone_name: str, period: TimeRange) -> frozenset[datetime]:
    start = max(day_start(period.start, zone(zone_name)), kept(organization_id).hours)  # earlier days are final
    rows = ChangedDay.objects.filter(organization_id=organization_id, day_start__gte=start, day_start__lt=period.end)
    return frozenset(rows.order_by().values_list("day_start", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class Segments:
    """Whole clean days, whole clean hours, and the rest: edges and pending hours."""

    days: Ranges
    hours: Ranges
    rest: Ranges


@once
def segments(
    organization_id: int, zone_name: str, period: TimeRange, *, use_days: bool, pending: frozenset[datetime]
) -> Segments:
    """Cut an inhabited period."""
    tz = zone(zone_name)
    first = hour_start(period.start, tz)
    first = first if first == period.start else next_hour_start(first, tz)
    last = hour_start(period.end, tz)
    if first >= last:
        return Segments((), (), (period,) if period.seconds else ())
    dirty = frozenset[datetime]()
    if use_days:
        dirty = _pending_days(organization_id, zone_name, period) | {day_start(hour, tz) for hour in pending}
    days: list[TimeRange] = []
    hours: list[TimeRange] = []
    rest = [TimeRange(period.start, first), TimeRange(last, period.end)]
    cursor = first
    while cursor < last:
        midnight = day_start(cursor, tz) if use_days else None
        if midnight == cursor and cursor not in dirty and (following := next_day_start(cursor, tz)) <= last:
            days.append(TimeRange(cursor, following))
            cursor = following
            continue
        end = next_hour_start(cursor, tz)
        (rest if cursor in pending else hours).append(TimeRange(cursor, end))
        cursor = end
    return Segments(joined(days), joined(hours), joined(rest))


def in_quarters(ranges: Ranges) -> tuple[Ranges, Ranges]:
    """The whole quarters of an hour of some ranges, and what lies before and behind these."""
    whole, rest = [], []
    for one in ranges:
        first, last = one.start + (_EPOCH - one.start) % _QUARTER, one.end - (one.end - _EPOCH) % _QUARTER
        if first < last:
            whole.append(TimeRange(first, last))
            rest += [TimeRange(one.start, first), TimeRange(last, one.end)]
        else:
            rest.append(one)
    return joined(whole), joined(rest)


@once
def inhabited(organization_id: int, zone_name: str, period: TimeRange) -> TimeRange:
    """The period; a very long one without the years before the first and after the last data, which need no steps."""
    if period.length <= _LONG:
        return period
    own = {"organization_id": organization_id}
    facts = LLMRequest.objects.filter(**own).aggregate(first=Min("started_at"), last=Max("started_at"))
    stored = DayAggregate.objects.filter(**own).aggregate(first=Min("bucket_start"), last=Max("bucket_start"))
    first = [moment for moment in (facts["first"], stored["first"]) if moment]
    last = [moment for moment in (facts["last"], stored["last"]) if moment]
    if not first:
        return TimeRange(period.start, period.start)
    tz = zone(zone_name)
    known = TimeRange(day_start(min(first), tz), next_day_start(max(last), tz))
    return period.clip(known) or TimeRange(period.start, period.start)


def joined(ranges: list[TimeRange]) -> Ranges:
    """Adjacent ranges as one; empty ones dropped."""
    answer: list[TimeRange] = []
    for one in sorted((one for one in ranges if one.seconds), key=lambda item: item.start):
        if answer and answer[-1].end == one.start:
            answer[-1] = TimeRange(answer[-1].start, one.end)
        else:
            answer.append(one)
    return tuple(answer)
