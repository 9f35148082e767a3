"""Questions to a time of which not everything is kept: what still has a complete answer, and what is refused.

Whole hours are answered from their aggregates long after their requests are gone, whole days for ever. What would need
removed rows is refused with what to change: its answer would be too small.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings

from analytics.catalog.dimensions import Dimension
from analytics.catalog.grains import GRAINS
from analytics.query.snapshot import once
from analytics.query.values import NotKeptError, Query, RefusedQueryError
from ingestion import watermarks
from ingestion.models import MetadataKey
from metricsportal.lib.localtime import SUB_HOUR_MINUTES, Interval, day_start, hour_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

if TYPE_CHECKING:
    from analytics.query.planner import Plan

kept = once(watermarks.kept)
"""Of an organization, as of the snapshot."""
_SHOWN: Final = "%Y-%m-%d %H:%M"


def require_kept(query: Query, plan: "Plan") -> None:
    """Raise NotKeptError when the plan would read a time of which the rows that it reads were removed."""
    have = kept(query.scope.organization_id)
    if _earlier((*plan.requests, *plan.facts, *plan.quarters), have.requests):
        raise _without_requests(query, plan, have.requests)
    if _earlier(plan.hours, have.hours):
        raise _without_hours(query, have.hours)
    if plan.key_id is not None and have != watermarks.Kept():
        name, since = _key(plan.key_id)
        if since and _earlier((*plan.days, *plan.hours, *plan.quarters), since):
            raise _without_key(query, name, since)


def coarser_interval(query: Query, error: RefusedQueryError) -> Interval | None:
    """The next automatic interval to try after a refusal; None: there is none."""
    if query.interval is None or not query.interval_automatic:
        return None
    if query.interval in SUB_HOUR_MINUTES:
        return Interval.HOUR
    return Interval.DAY if query.interval is Interval.HOUR and isinstance(error, NotKeptError) else None


def in_kept_buckets(period: TimeRange, scope: Scope) -> TimeRange:
    """A period that nobody chose to the minute, begun and ended with whole hours or days where only these are kept."""
    have, tz = kept(scope.organization_id), zone(scope.zone)

    def whole(instant: datetime) -> datetime:
        if instant < have.hours:
            return day_start(instant, tz)
        return hour_start(instant, tz) if instant < have.requests else instant

    return TimeRange(whole(period.start), whole(period.end))


def _earlier(ranges: Iterable[TimeRange], floor: datetime) -> bool:
    return any(one.start < floor for one in ranges)


@once
def _key(key_id: int) -> tuple[str, datetime | None]:
    """Name of a metadata key, and since when aggregates know it where that is not always."""
    return MetadataKey.objects.values_list("name", "known_from").get(pk=key_id)


def _without_requests(query: Query, plan: "Plan", floor: datetime) -> NotKeptError:
    for_so_long = f"for {settings.KEEP_REQUESTS_DAYS} days" if settings.KEEP_REQUESTS_DAYS else "since then"
    sentence = (
        f"Single requests are kept {for_so_long}, from {_local(floor, query)} on, and this question needs earlier ones"
    )
    if query.interval in SUB_HOUR_MINUTES:
        why, change = "for an interval below an hour", ["use an interval of an hour or more"]
    elif plan.grain is None:
        why, change = _uncovered(query)
    else:
        why, change = "for a border inside an hour", ["begin and end at full hours"]
    return NotKeptError(f"{sentence}, {why}.", floor, (*change, _begin(floor, query)))


def _uncovered(query: Query) -> tuple[str, list[str]]:
    """What no aggregate can be asked for, in words, and what to leave out."""
    filters = _names(one.dimension for one in query.filters)
    groups = _names(query.group_by)
    change = [
        *([f"remove the filter on {filters}"] if filters else []),
        *([f"do not group by {groups}"] if groups else []),
    ]
    if change:
        return f"to filter or group by {', '.join(filter(None, (filters, groups)))}", change
    return "for these filters and groups together", ["ask with fewer filters and groups at once"]


def _names(dimensions: Iterable[Dimension]) -> str:
    covered = {axis for grain in GRAINS if not grain.only_failed for axis in grain.axes}
    return ", ".join(sorted({one.label for one in dimensions if one.axis not in covered}))


def _without_hours(query: Query, floor: datetime) -> NotKeptError:
    for_so_long = f"for {settings.KEEP_HOURS_DAYS} days" if settings.KEEP_HOURS_DAYS else "since then"
    change = (
        "use an interval of a day or more"
        if query.interval is Interval.HOUR
        else f"begin and end at midnight in {query.scope.zone}"
    )
    sentence = f"Hours are kept {for_so_long}, from {_local(floor, query)} on; of earlier days only the whole is known."
    return NotKeptError(sentence, floor, (change, _begin(floor, query)))


def _without_key(query: Query, name: str, since: datetime) -> NotKeptError:
    sentence = (
        f"The metadata key {name} was registered when single requests from before {_local(since, query)} had been "
        "removed: their values of it are unknown."
    )
    return NotKeptError(sentence, since, (_begin(since, query), f"do not filter or group by {name}"))


def _begin(floor: datetime, query: Query) -> str:
    return f"begin at {_local(floor, query)} or later"


def _local(instant: datetime, query: Query) -> str:
    return f"{instant.astimezone(zone(query.scope.zone)):{_SHOWN}} ({query.scope.zone})"
