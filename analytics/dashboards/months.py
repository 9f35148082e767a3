"""Local months, as pages ask for them."""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from metricsportal.lib.localtime import local_date, month_range, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

FIRST_YEAR: Final = 1971


@dataclass(frozen=True, slots=True)
class Month:
    """A local month as far as it is over. `whole`: with the days to come."""

    period: TimeRange
    whole: TimeRange
    name: str
    text: str
    before: str
    after: str | None

    @property
    def days(self) -> int:
        """How many it has."""
        return calendar.monthrange(*(int(part) for part in self.name.split("-")))[1]

    @property
    def current(self) -> bool:
        """Whether it goes on."""
        return self.period != self.whole


def month_of(asked: str, scope: Scope, now: datetime) -> tuple[Month, list[str]]:
    """The month of `YYYY-MM`, or the current one and what was wrong with what was asked for."""
    tz = zone(scope.zone)
    today = local_date(now, tz)
    year, number, message = today.year, today.month, []
    try:
        found = datetime.strptime(asked, "%Y-%m") if asked else today  # noqa: DTZ007 - a month has no zone
        if found.year < FIRST_YEAR or (found.year, found.month) > (year, number):
            raise ValueError
        year, number = found.year, found.month
    except ValueError:
        message = [f"month={asked[:20]} is not a month such as {today:%Y-%m} that has begun; this one is shown."]
    whole = month_range(year, number, tz)
    period = TimeRange(whole.start, min(whole.end, max(now, whole.start + timedelta(seconds=1))))
    first = local_date(whole.start, tz)
    current = (year, number) == (today.year, today.month)
    return (
        Month(
            period,
            whole,
            f"{first:%Y-%m}",
            f"{first:%B %Y}{' so far' if current else ''}",
            f"{first - timedelta(days=1):%Y-%m}",
            None if current else f"{first + timedelta(days=31):%Y-%m}",
        ),
        message,
    )
