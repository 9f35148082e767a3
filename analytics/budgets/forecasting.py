"""Where a budget will end: what was used, and the usual use of the weekdays that remain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from analytics.budgets.standing import Standing, UnknownStandingError, amount_words, counted, question
from analytics.models import Budget
from analytics.query.engine import run_if_kept
from analytics.query.values import RefusedQueryError
from metricsportal.lib.localtime import Interval, local_date, midnight, zone
from metricsportal.lib.timerange import TimeRange

WEEKS: Final = 8
LEAST_DAYS: Final = 14
"""Whole days since the first request: below, every weekday was seen once at most."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be used by the end of the period, and the day on which the amount is passed; None: not in it."""

    total: int
    crosses: date | None


def forecast(budget: Budget, standing: Standing, now: datetime) -> Forecast | None:
    """None for budgets of a day, for periods that are over, and where too little is known."""
    tz = zone(budget.organization.zone)
    if budget.every == Budget.Every.DAY or now not in standing.span.range:
        return None
    today = local_date(now, tz)
    days = _days(budget, today, now)
    if days is None:
        return None
    last = local_date(standing.span.range.end - timedelta(seconds=1), tz)
    return projected(standing, today, last, days)


def projected(standing: Standing, today: date, last: date, days: Sequence[int]) -> Forecast | None:
    """From the use of whole days, the newest last but for today, which ends them."""
    if len(days) <= LEAST_DAYS:  # today is none of the whole ones
        return None
    *whole, so_far = days
    usual = {(today - timedelta(days=back)).weekday(): _usual(whole, back) for back in range(1, 8)}
    total, crosses, day = standing.used, None, today
    while day <= last:
        # Of today what usually is still to come; a busy day takes nothing back.
        total += max(0, usual[day.weekday()] - (so_far if day == today else 0))
        if crosses is None and total >= standing.amount:
            crosses = day
        day += timedelta(days=1)
    return Forecast(total, crosses)


def _usual(whole: Sequence[int], back: int) -> int:
    """The median of the days that lie so many days, and whole weeks more, behind today."""
    return int(median(whole[len(whole) - place] for place in range(back, len(whole) + 1, 7)))


def _days(budget: Budget, today: date, now: datetime) -> list[int] | None:
    """The use of each local day of the last weeks from the first whole one with requests on, and of today so far."""
    tz = zone(budget.organization.zone)
    period = TimeRange(midnight(today - timedelta(weeks=WEEKS), tz), midnight(today + timedelta(days=1), tz))
    try:
        found = run_if_kept(question(budget, period, Interval.DAY), now)
    except (RefusedQueryError, UnknownStandingError):
        return None
    if found is None:
        return None
    requests = found.summary.requests
    first = next((place for place, many in enumerate(requests) if many), None)
    if first is None:
        return None
    # The day of the first request began before it: it is part of a day, unless the weeks before had requests too.
    begin = 0 if first == 0 else first + 1
    return [counted(budget, row) for row in found.summary.values][begin:]


def words(found: Forecast | None, standing: Standing) -> str:
    """“Forecast: will cross 100 % on 23 November, $612.00 by the end of the month.” "" without a forecast."""
    if found is None:
        return ""
    least = "at least " if standing.at_least else ""
    end = f"{least}{amount_words(standing.unit, found.total)} by the end of the {standing.span.every}"
    if standing.has_reached(100) or found.crosses is None:
        return f"Forecast: {end}."
    return f"Forecast: will cross 100 % on {found.crosses.day} {found.crosses:%B}, {end}."
