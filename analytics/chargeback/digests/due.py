"""When summaries are due: at an hour of the local morning after their day or week. Pure but for the zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from analytics.budgets.periods import Span, span_at, span_before
from metricsportal.lib.localtime import local_date, zone

EVERY: Final = {"weekly": "week", "daily": "day"}
"""Kinds of summaries, each with its period; weeks begin on Mondays."""


@dataclass(frozen=True, slots=True)
class Due:
    """The newest summary of a kind that is due: what it is about, and since when it is due."""

    kind: str
    span: Span
    at: datetime


def newest(kind: str, zone_name: str, hour: int, now: datetime) -> Due:
    """The newest one that is due now. Earlier ones that were missed are not: a portal that was down sends no flood.

    An hour that the clock skips is the one after it; of an hour that comes twice it is the first.
    """
    following = span_at(EVERY[kind], now, zone_name)
    at = _instant(following, zone_name, hour)
    if at > now:
        following = span_before(following, zone_name)
        at = _instant(following, zone_name, hour)
    return Due(kind, span_before(following, zone_name), at)


def finished(kind: str, zone_name: str, now: datetime) -> Span:
    """The newest day or week that is over, whether its summary is due or not: for previews."""
    return span_before(span_at(EVERY[kind], now, zone_name), zone_name)


def _instant(span: Span, zone_name: str, hour: int) -> datetime:
    """That hour of the first day of the span."""
    tz = zone(zone_name)
    local = datetime.combine(span.first, time(hour), tzinfo=tz)
    at = local.astimezone(UTC)
    if local_date(at, tz) < span.first:  # midnight does not exist there: never before the period is over
        at += timedelta(hours=1)
    return max(at, span.range.start)
