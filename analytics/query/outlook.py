"""What is still to come: the usual use of the weekdays that remain. Every forecast adds it to what was used."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from analytics.query.engine import run_if_kept
from analytics.query.values import Query, RefusedQueryError, Value
from metricsportal.lib.localtime import Interval, local_date, midnight, zone
from metricsportal.lib.timerange import TimeRange

WEEKS: Final = 8
LEAST_DAYS: Final = 14
"""Whole days since the first request: below, every weekday was seen once at most."""
Count = Callable[[tuple[Value, ...]], int]


def remaining(query: Query, count: Count, last: date, now: datetime) -> list[int] | None:
    """What is still to come of today, and of each local day after it up to `last`; None where too little is known.

    query: whose requests; its period is not looked at. count: what one row of its selections adds up to.
    """
    today = local_date(now, zone(query.scope.zone))
    days = _days(query, count, today, now)
    return None if days is None else expected(days, today, last)


def expected(days: Sequence[int], today: date, last: date) -> list[int] | None:
    """The same from the use of whole days, the newest last but for today, which ends them."""
    if len(days) <= LEAST_DAYS:  # today is none of the whole ones
        return None
    *whole, so_far = days
    usual = {(today - timedelta(days=back)).weekday(): _usual(whole, back) for back in range(1, 8)}
    rest = max(0, usual[today.weekday()] - so_far)  # a busy day takes nothing back
    return [rest, *(usual[(today + timedelta(days=ahead)).weekday()] for ahead in range(1, (last - today).days + 1))]


def _usual(whole: Sequence[int], back: int) -> int:
    """The median of the days that lie so many days, and whole weeks more, behind today."""
    return int(median(whole[len(whole) - place] for place in range(back, len(whole) + 1, 7)))


def _days(query: Query, count: Count, today: date, now: datetime) -> list[int] | None:
    """The use of each local day of the last weeks from the first whole one with requests on, and of today so far."""
    tz = zone(query.scope.zone)
    period = TimeRange(midnight(today - timedelta(weeks=WEEKS), tz), midnight(today + timedelta(days=1), tz))
    try:
        found = run_if_kept(replace(query, period=period, interval=Interval.DAY), now)
    except RefusedQueryError:
        return None
    if found is None:
        return None
    requests = found.summary.requests
    first = next((place for place, many in enumerate(requests) if many), None)
    if first is None:
        return None
    # The day of the first request began before it: it is part of a day, unless the weeks before had requests too.
    begin = 0 if first == 0 else first + 1
    return [count(row) for row in found.summary.values][begin:]
