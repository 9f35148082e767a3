"""How much one answer may hold, checked before anything is read; above it the question is refused with a way out."""

from datetime import timedelta
from typing import Final

from analytics.api.problems import TooManyPointsError
from analytics.query.values import Query
from metricsportal.lib.localtime import SEVERAL_HOURS, SUB_HOUR_MINUTES, Interval

MAX_POINTS: Final = 20_000  # rows of data in one answer of metrics/query
MAX_CELLS: Final = 400_000  # groups x buckets held in memory while it is computed
MAX_BUCKETS: Final = 20_000  # buckets of one report; its rows are streamed
NARROWER: Final = ("use a longer interval", "narrow the range", "lower the limit of groups", "add a filter")
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


def check_buckets(query: Query) -> None:
    """Raise TooManyPointsError when a streamed answer would have too many buckets."""
    _check(buckets_of(query), MAX_BUCKETS)


def check_points(points: int) -> None:
    """Raise TooManyPointsError rather than leave points out."""
    _check(points, MAX_POINTS)


def _check(estimate: int, budget: int) -> None:
    if estimate > budget:
        raise TooManyPointsError(estimate, budget, NARROWER)
