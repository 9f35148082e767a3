"""Work through the logs: every changed hour, then every changed day."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError

from analytics.models import ChangedDay, HourAggregate
from analytics.rollups.days import rebuild_day
from analytics.rollups.hours import rebuild_hour
from ingestion.models import ChangedHour, LLMRequest
from metricsportal.lib import border
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization

logger = logging.getLogger(__name__)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Drained:
    """How many hours and days were rebuilt."""

    hours: int = 0
    days: int = 0


def drain(
    organization_id: int | None = None,
    *,
    most_hours: int | None = None,
    progress: Callable[[Drained], None] = lambda done: None,
    go_on: Callable[[], bool] = lambda: True,
) -> Drained:
    """Rebuild every hour in the log, oldest first, then every day; `most_hours` bounds one pass.

    `go_on` is asked between two of them: it may take its time, and ends the pass where it says no.
    """
    hours = days = 0
    for organization, start in _pending(ChangedHour, "hour_start", organization_id, most_hours):
        if hours and not go_on():
            return Drained(hours, days)
        # After an upgrade the list is long: another pass may have been there meanwhile.
        if ChangedHour.objects.filter(organization=organization, hour_start=start).exists():
            _again(rebuild_hour, organization, start)
            hours += 1
            progress(Drained(hours, days))
    for organization, start in _pending(ChangedDay, "day_start", organization_id, None):
        if hours + days and not go_on():
            break
        if ChangedDay.objects.filter(organization=organization, day_start=start).exists():
            _again(rebuild_day, organization, start)
            days += 1
            progress(Drained(hours, days))
    return Drained(hours, days)


def _pending(
    log: type[ChangedHour] | type[ChangedDay], column: str, organization_id: int | None, most: int | None
) -> Iterator[tuple[Organization, datetime]]:
    rows = log._default_manager.order_by(column, "organization_id")
    if organization_id is not None:
        rows = rows.filter(organization_id=organization_id)
    pairs = list(rows.values_list("organization_id", column).distinct()[:most])
    organizations = Organization.objects.in_bulk({pk for pk, _ in pairs})
    yield from ((organizations[pk], start) for pk, start in pairs)


def _again(rebuild: Callable[[Organization, datetime], int], organization: Organization, start: datetime) -> None:
    """Run the whole transaction again after a deadlock or serialization failure, at most three times."""
    for attempt in range(1, _TRIES + 1):
        try:
            with border.within(organization.pk):
                rebuild(organization, start)
        except OperationalError:
            if attempt == _TRIES:
                raise
            logger.warning("rollup of %s was interrupted, try %d", start, attempt)
        else:
            return


def rebuild(organization: Organization, period: TimeRange) -> int:
    """Mark every hour of the range that has facts or aggregates as changed; returns how many. `drain` does the rest."""
    facts = LLMRequest.objects.filter(
        organization=organization, hour_start__gte=period.start - timedelta(hours=1), hour_start__lt=period.end
    )
    stored = HourAggregate.objects.filter(
        organization=organization, bucket_start__gte=period.start - timedelta(hours=1), bucket_start__lt=period.end
    )
    hours = {*facts.values_list("hour_start", flat=True).distinct()}
    hours |= {*stored.values_list("bucket_start", flat=True).distinct()}
    ChangedHour.objects.bulk_create(ChangedHour(organization=organization, hour_start=hour) for hour in sorted(hours))
    return len(hours)
