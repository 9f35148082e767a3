"""How much one answer may hold, checked before anything is read; above it the question is refused with a way out."""

from datetime import timedelta
from typing import Final

from analytics.api.problems import TooManyPointsError
from analytics.query.values import Query
from metricsportal.lib.localtime import SEVERAL_HOURS, SUB_HOUR_MINUTES, Interval

MAX_POINTS: Final = 20_000  # rows of data in one answer of metrics/query
MAX_CELLS: Final = 400_000  # groups x buckets held in memory while it is computed
MAX_BUCKETS: Final = 20_000  # buckets of one report; its rows are streamed
MAX_JOB_BUCKETS: Final = 200_000  # of one that is prepared in the background: 22 years of hours
NARROWER: Final = ("use a longer interval", "narrow the range", "lower the limit of groups", "add a filter")
BACKGROUND: Final = "have the file prepared in the background: POST /api/v1/exports"
_LENGTHS: Final = {
    **{interval: timedelta(minutes=minutes) for interval, minutes in SUB_HOUR_MINUTES.items()},
    Interval.HOUR: timedelta(hours=1),
    **{interval: timedelta(hours=hours) for interval, hours in SEVERAL_HOURS.items()},
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(days=7),
    Interval.MONTH: timedelta(days=28),
}


def buckets_of(query: Query) -> int:
    """About how many buckets the answer has; 1 without an interval."""
    return int(query.period.length / _LENGTHS[query.interval]) + 1 if query.interval else 1


def check_cells(query: Query) -> None:
    """Raise TooManyPointsError when groups x buckets would not fit in memory."""
    groups = (query.limit or 0) + 1 if query.group_by else 1
    _check(buckets_of(query) * groups if query.interval else 1, MAX_CELLS)


def check_buckets(query: Query, most: int = MAX_BUCKETS) -> None:
    """Raise TooManyPointsError when a file would have too many buckets; it says so where a job would do."""
    estimate = buckets_of(query)
    _check(estimate, most, (BACKGROUND, *NARROWER) if most < estimate <= MAX_JOB_BUCKETS else NARROWER)


def check_points(points: int) -> None:
    """Raise TooManyPointsError rather than leave points out."""
    _check(points, MAX_POINTS)


def _check(estimate: int, budget: int, suggestions: tuple[str, ...] = NARROWER) -> None:
    if estimate > budget:
        raise TooManyPointsError(estimate, budget, suggestions)
