"""Months of the reporting zone: their borders, whether they may be closed, and which ones are due."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from analytics.models import Period
from ingestion.models import LLMRequest
from metricsportal.lib.localtime import local_date, midnight, month_range, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization


class State(StrEnum):
    """Where a month stands. Grace is the time for records that arrive late."""

    OPEN = "open"
    GRACE = "grace"
    CLOSED = "closed"


class ClosingRefusedError(Exception):
    """The month cannot be closed now; the text is a sentence for people."""


def parse_month(text: str) -> date:
    """2026-10 -> its first day. Raises ValueError with a sentence."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError(f"“{text}” is not a month such as 2026-10.") from None


def name_of(month: date) -> str:
    """For people: October 2026."""
    return f"{month:%B %Y}"


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def preceding(month: date) -> date:
    """The first day of the month before."""
    return (month - timedelta(days=1)).replace(day=1)


def borders(organization: Organization, month: date) -> TimeRange:
    """From local midnight to local midnight, but never into a closed neighbour.

    The neighbours matter after a change of the reporting zone: a request at the border is billed exactly once.
    """
    local = month_range(month.year, month.month, zone(organization.zone))
    closed = Period.objects.filter(organization=organization, closed_at__isnull=False)
    before = closed.filter(month=preceding(month)).first()
    after = closed.filter(month=following(month)).first()
    return TimeRange(before.end if before else local.start, after.start if after else local.end)


def month_of(instant: datetime, organization: Organization) -> date:
    """The local month of an instant, as its first day."""
    return local_date(instant, zone(organization.zone)).replace(day=1)


def closed_months(organization_id: int) -> list[tuple[str, TimeRange]]:
    """Every closed month as 2026-10 with the borders that it was closed with, oldest first."""
    closed = Period.objects.filter(organization=organization_id, closed_at__isnull=False).order_by("start")
    return [(f"{period.month:%Y-%m}", TimeRange(period.start, period.end)) for period in closed]


def hold_open() -> None:
    """Until the transaction ends no month is closed (`closing`); on SQLite its transaction keeps every writer away."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE analytics_period IN ROW EXCLUSIVE MODE")


def due_from(period: TimeRange, tz: ZoneInfo) -> datetime:
    """The local midnight from which on a month that ends there is closed by itself."""
    return midnight(local_date(period.end, tz) + timedelta(days=settings.CLOSE_GRACE_DAYS), tz)


def closing_day(period: TimeRange, organization: Organization) -> str:
    """The local day on which a month is closed by itself, for people: 4 November 2026."""
    tz = zone(organization.zone)
    day = local_date(due_from(period, tz), tz)
    return f"{day.day} {day:%B %Y}"


def require_over(organization: Organization, month: date, now: datetime) -> None:
    """Raise ClosingRefusedError for a month that has not begun or is still running."""
    period = borders(organization, month)
    if now < period.start:
        raise ClosingRefusedError(f"{name_of(month)} has not begun yet in {organization.zone}.")
    if now < period.end:
        last = following(month) - timedelta(days=1)
        raise ClosingRefusedError(
            f"{name_of(month)} is still running: it ends with {last.day} {last:%B} in {organization.zone}."
        )


def months_of_traffic(organization: Organization, now: datetime) -> Iterator[date]:
    """Every month from that of the earliest request to the present one."""
    first = LLMRequest.objects.filter(organization=organization).order_by("started_at", "id").first()
    if first is None:
        return
    month, last = month_of(first.started_at, organization), month_of(now, organization)
    while month <= last:
        yield month
        month = following(month)


def due(organization: Organization, now: datetime) -> list[date]:
    """Months with their grace over that are not closed yet, oldest first; none before the first request."""
    periods = Period.objects.filter(organization=organization, closed_at__isnull=False)
    closed = {*periods.values_list("month", flat=True)}
    waiting = [month for month in months_of_traffic(organization, now) if month not in closed]
    tz = zone(organization.zone)
    return [month for month in waiting if due_from(borders(organization, month), tz) <= now]
