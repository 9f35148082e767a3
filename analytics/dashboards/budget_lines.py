"""Budgets of what the page shows: a line in the chart of cost, and how far each is used."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from analytics.budgets.periods import INTERVALS, A, Span, span_at
from analytics.budgets.reading import visible
from analytics.budgets.standing import Standing, UnknownStandingError, amount_words, standing
from analytics.budgets.subjects import filters_of
from analytics.catalog.measures import Unit
from analytics.dashboards.choices import INTERVAL_WORDS
from analytics.dashboards.panels import drawn
from analytics.dashboards.state import State
from analytics.models import Budget
from analytics.query.parsing import filter_text
from analytics.query.values import Filter, Operator
from metricsportal.lib import formats
from metricsportal.lib.localtime import Interval, bucket_start, next_bucket_start, zone
from teams.access import Reach, Scope

MOST: Final = 3


def lines(state: State, scope: Scope, interval: Interval, now: datetime) -> list[dict[str, Any]]:
    """Of the budgets in dollars that count exactly what the page shows; of several the first by name."""
    at = min(state.period.end - timedelta(microseconds=1), now)
    found = []
    for budget in _matching(state.filters, scope)[:MOST]:
        span = span_at(budget.every, at, scope.zone)
        try:
            stands = standing(budget, span, now)
        except UnknownStandingError:
            continue
        found.append(_line(budget, stands, share_of(stands.amount, span, interval, at, scope.zone), interval))
    return found


def _line(budget: Budget, stands: Standing, share: int, interval: Interval) -> dict[str, Any]:
    words, bucket = amount_words(stands.unit, stands.amount), INTERVAL_WORDS[interval.value].removeprefix("1 ")
    return {
        "name": budget.name,
        "value": drawn(share, Unit.USD),
        "label": f"{budget.name}: {formats.usd(share, brief=True)} per {bucket}",
        "used": f"{stands.share_words} of {words} {A[budget.every]} used ({budget.name}, {stands.span.words})",
    }


def share_of(amount: int, span: Span, interval: Interval, at: datetime, zone_name: str) -> int:
    """The part of the amount that falls to a bucket of the chart, by its length: the one that holds the instant."""
    if INTERVALS[span.every] is interval:
        return amount
    tz = zone(zone_name)
    start = bucket_start(at, interval, tz)
    length = next_bucket_start(start, interval, tz) - start
    second = timedelta(seconds=1)
    return amount * (length // second) // (span.range.length // second)


def _matching(filters: Iterable[Filter], scope: Scope) -> list[Budget]:
    shown = _texts(filters)
    found = []
    for budget in visible(scope).filter(unit=Budget.Unit.USD):
        try:
            counted = _texts(filters_of(budget))
        except LookupError:
            continue
        # The filter of the only team that the viewer sees changes nothing.
        own = _texts(filters_of(budget)[:1]) if _is_own(budget, scope) else set[str]()
        if counted == shown | own:
            found.append(budget)
    return found


def _is_own(budget: Budget, scope: Scope) -> bool:
    """Whether the viewer sees that team alone, with or without a filter."""
    return scope.reach is Reach.TEAMS and scope.team_ids == {budget.team_id}


def _texts(filters: Iterable[Filter]) -> set[str]:
    """A choice of one value is that value."""
    return {
        filter_text(Filter(one.dimension, Operator.EQ, one.values))
        if one.operator is Operator.IN and len(one.values) == 1
        else filter_text(one)
        for one in filters
    }
