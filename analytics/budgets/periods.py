"""Days, weeks and months of budgets: local to the reporting zone, named by their first local day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from analytics.models import Budget
from metricsportal.lib.localtime import Interval, bucket_start, local_date, next_bucket_start, zone
from metricsportal.lib.timerange import TimeRange

INTERVALS: Final = {
    Budget.Every.MONTH.value: Interval.MONTH,
    Budget.Every.WEEK.value: Interval.WEEK,
    Budget.Every.DAY.value: Interval.DAY,
}
A: Final = {"month": "a month", "week": "a week", "day": "a day"}


@dataclass(frozen=True, slots=True)
class Span:
    """One period of a budget."""

    first: date
    range: TimeRange
    every: str

    @property
    def words(self) -> str:
        """November 2026; 23 to 29 November 2026; 24 November 2026."""
        if self.every == "month":
            return f"{self.first:%B %Y}"
        if self.every == "day":
            return f"{self.first.day} {self.first:%B %Y}"
        last = self.first + timedelta(days=6)
        begin = f"{self.first.day}" if last.month == self.first.month else f"{self.first.day} {self.first:%B}"
        return f"{begin} to {last.day} {last:%B %Y}"


def span_at(every: str, instant: datetime, zone_name: str) -> Span:
    """The period that holds the instant."""
    tz, interval = zone(zone_name), INTERVALS[every]
    start = bucket_start(instant, interval, tz)
    return Span(local_date(start, tz), TimeRange(start, next_bucket_start(start, interval, tz)), every)


def span_before(span: Span, zone_name: str) -> Span:
    """The period before."""
    return span_at(span.every, span.range.start - timedelta(seconds=1), zone_name)
