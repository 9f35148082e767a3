"""Up to where an organization's rows may go: their age, and everything that still needs them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min, Model

from analytics.chargeback import months
from analytics.models import ChangedDay, HourAggregate, Period
from ingestion.models import ChangedHour, LLMRequest
from ingestion.watermarks import kept
from metricsportal.lib.keeping import FOR_EVER
from metricsportal.lib.localtime import day_start, zone
from teams.models import Organization


@dataclass(frozen=True, slots=True)
class Limit:
    """Rows before this instant may go. `why`: what keeps later ones."""

    before: datetime
    why: str


def limit_of_requests(organization: Organization, now: datetime) -> Limit | None:
    """None: nothing is to go, because requests are kept for ever or none is that old.

    Where nothing is old the watermark stays: the history of an organization can be imported until some of it goes.
    """
    days = settings.KEEP_REQUESTS_DAYS
    first = _first(LLMRequest, "hour_start", organization)
    if days == FOR_EVER or first is None:
        return None
    found = min(
        _by_age(organization, now, days),
        # Within the window an id is never forgotten: its repeat would count again.
        _at(organization, now - timedelta(days=settings.INGEST_PAST_DAYS), "the ingest window"),
        *_waiting(organization),
        _open_month(organization, first),
        key=lambda limit: limit.before,
    )
    return found if first < found.before else None


def limit_of_hours(organization: Organization, now: datetime) -> Limit | None:
    """None: nothing is to go. Hours never go before the requests that they are made of."""
    days = settings.KEEP_HOURS_DAYS
    first = _first(HourAggregate, "bucket_start", organization)
    if days == FOR_EVER or first is None:
        return None
    found = min(
        _by_age(organization, now, days),
        Limit(kept(organization.pk).requests, "requests that are kept"),
        *_waiting(organization),
        key=lambda limit: limit.before,
    )
    return found if first < found.before else None


def _by_age(organization: Organization, now: datetime, days: int) -> Limit:
    return _at(organization, now - timedelta(days=days), f"{days} days")


def _at(organization: Organization, instant: datetime, why: str) -> Limit:
    return Limit(day_start(instant, zone(organization.zone)), why)


def _first(table: type[Model], column: str, organization: Organization) -> datetime | None:
    rows = table._default_manager.filter(organization=organization)
    found: datetime | None = rows.aggregate(first=Min(column))["first"]
    return found


def _waiting(organization: Organization) -> list[Limit]:
    """Hours and days that are to be rolled up, for which what they are made of is needed."""
    found = ((ChangedHour, "hour_start", "an hour"), (ChangedDay, "day_start", "a day"))
    return [
        _at(organization, first, f"{what} that is not rolled up yet")
        for log, column, what in found
        if (first := _first(log, column, organization)) is not None
    ]


def _open_month(organization: Organization, first: datetime) -> Limit:
    """The first month from the oldest request on that is not closed: its statements are made from its requests."""
    periods = Period.objects.filter(organization=organization, closed_at__isnull=False)
    closed = {*periods.values_list("month", flat=True)}
    month = months.month_of(first, organization)
    while month in closed:
        month = months.following(month)
    begins = months.borders(organization, month).start
    return _at(organization, begins, f"{months.name_of(month)}, which is not closed")
