"""Ranges of time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from metricsportal.lib.timerange import TimeRange

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_borders_are_kept_in_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    period = TimeRange(NOON.astimezone(india), (NOON + HOUR).astimezone(india))
    assert (period.start, period.end) == (NOON, NOON + HOUR)
    assert period.start.tzinfo is UTC
    assert period.seconds == 3600


def test_start_belongs_to_the_range_and_end_does_not() -> None:
    period = TimeRange(NOON, NOON + HOUR)
    assert NOON in period
    assert NOON + HOUR not in period
    assert NOON + HOUR - timedelta(microseconds=1) in period


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (NOON.replace(tzinfo=None), NOON, "offset"),
        (NOON, NOON.replace(tzinfo=None), "offset"),
        (NOON + HOUR, NOON, "ends after"),
    ],
)
def test_what_is_no_range_is_refused(start: datetime, end: datetime, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TimeRange(start, end)


def test_previous_is_as_long_and_ends_where_this_begins() -> None:
    period = TimeRange(NOON, NOON + 3 * HOUR)
    assert period.previous() == TimeRange(NOON - 3 * HOUR, NOON)


def test_clip_keeps_the_common_part() -> None:
    period = TimeRange(NOON, NOON + 3 * HOUR)
    assert period.clip(TimeRange(NOON + HOUR, NOON + 9 * HOUR)) == TimeRange(NOON + HOUR, NOON + 3 * HOUR)
    assert period.clip(TimeRange(NOON + 3 * HOUR, NOON + 4 * HOUR)) is None
