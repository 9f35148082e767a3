"""Where a budget will end: what was used, and the usual use of the weekdays that remain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from analytics.budgets.standing import Standing, UnknownStandingError, amount_words, counted, question
from analytics.models import Budget
from analytics.query.outlook import remaining
from metricsportal.lib.localtime import local_date, zone


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be used by the end of the period, and the day on which the amount is passed; None: not in it."""

    total: int
    crosses: date | None


def forecast(budget: Budget, standing: Standing, now: datetime) -> Forecast | None:
    """None for budgets of a day, for periods that are over, and where too little is known."""
    period = standing.span.range
    if budget.every == Budget.Every.DAY or now not in period:
        return None
    tz = zone(budget.organization.zone)
    last = local_date(period.end - timedelta(seconds=1), tz)
    try:
        days = remaining(question(budget, period), partial(counted, budget), last, now)
    except UnknownStandingError:
        return None
    return None if days is None else projected(standing, local_date(now, tz), days)


def projected(standing: Standing, today: date, days: Sequence[int]) -> Forecast:
    """From what is still to come of today and of the days after it."""
    total, crosses = standing.used, None
    for ahead, use in enumerate(days):
        total += use
        if crosses is None and total >= standing.amount:
            crosses = today + timedelta(days=ahead)
    return Forecast(total, crosses)


def words(found: Forecast | None, standing: Standing) -> str:
    """“Forecast: will cross 100 % on 23 November, $612.00 by the end of the month.” "" without a forecast."""
    if found is None:
        return ""
    least = "at least " if standing.at_least else ""
    end = f"{least}{amount_words(standing.unit, found.total)} by the end of the {standing.span.every}"
    if standing.has_reached(100) or found.crosses is None:
        return f"Forecast: {end}."
    return f"Forecast: will cross 100 % on {found.crosses.day} {found.crosses:%B}, {end}."
