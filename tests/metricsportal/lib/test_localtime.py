"""Hours, days, weeks and months of twelve zones through all switches of 2026."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from metricsportal.lib import localtime
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange

SECOND = timedelta(seconds=1)
# Zone -> lengths in hours of its days of 2026 that are not 24 hours long.
ODD_DAYS = {
    "UTC": [],
    "America/New_York": [23, 25],
    "America/Los_Angeles": [23, 25],
    "America/St_Johns": [23, 25],
    "Asia/Kolkata": [],
    "Asia/Kathmandu": [],
    "Australia/Lord_Howe": [23.5, 24.5],
    "Africa/Cairo": [23, 25],
    "Africa/Casablanca": [23, 25],
    "America/Santiago": [23, 25],
    "Pacific/Chatham": [23, 25],
    "Pacific/Kiritimati": [],
}
pytestmark = pytest.mark.parametrize("name", ODD_DAYS)


def year_of(tz: ZoneInfo) -> TimeRange:
    return TimeRange(localtime.midnight(date(2026, 1, 1), tz), localtime.midnight(date(2027, 1, 1), tz))


@cache
def windows(interval: Interval, tz: ZoneInfo) -> list[TimeRange]:
    """All windows of 2026, each closed by the start of the next; worked out once, as nearly every test needs them."""
    period = year_of(tz)
    starts = [*localtime.buckets(period, interval, tz), period.end]
    return [TimeRange(start, end) for start, end in pairwise(starts)]


def local(instant: datetime, tz: ZoneInfo) -> datetime:
    return instant.astimezone(tz)


def days_of_switches(tz: ZoneInfo) -> list[TimeRange]:
    """The first day of the year and every day with a switch, each with its neighbours."""
    odd = [day for day in windows(Interval.DAY, tz) if day.length != timedelta(days=1)]
    first = windows(Interval.DAY, tz)[0]
    return [TimeRange(day.start - timedelta(days=1), day.end + timedelta(days=1)) for day in [first, *odd]]


@pytest.mark.parametrize("interval", [Interval.MINUTE, Interval.FIVE_MINUTES, Interval.QUARTER_HOUR])
def test_parts_of_hours_are_contiguous_and_never_longer_than_their_name(name: str, interval: Interval) -> None:
    tz = ZoneInfo(name)
    longest = timedelta(minutes=localtime.SUB_HOUR_MINUTES[interval])
    for period in days_of_switches(tz):
        starts = list(localtime.buckets(period, interval, tz))
        assert starts[0] <= period.start < starts[1]
        for start, following in pairwise(starts):
            assert timedelta() < following - start <= longest
            assert localtime.bucket_start(following - SECOND, interval, tz) == start
            assert local(start, tz).date() == local(following - SECOND, tz).date()


@pytest.mark.parametrize("interval", [Interval.HOUR, Interval.DAY, Interval.MONTH])
def test_windows_are_contiguous_and_hold_their_own_instants(name: str, interval: Interval) -> None:
    tz = ZoneInfo(name)
    found = windows(interval, tz)
    assert found[0].start == year_of(tz).start
    assert sum((window.length for window in found), timedelta()) == year_of(tz).length
    for window in found:
        assert window.length > timedelta()
        assert localtime.bucket_start(window.start, interval, tz) == window.start
        assert localtime.bucket_start(window.end - SECOND, interval, tz) == window.start
        assert localtime.bucket_start(window.start + window.length / 2, interval, tz) == window.start
        assert localtime.next_bucket_start(window.start, interval, tz) == window.end


def test_no_hour_spans_two_local_dates(name: str) -> None:
    tz = ZoneInfo(name)
    for window in windows(Interval.HOUR, tz):
        assert local(window.start, tz).date() == local(window.end - SECOND, tz).date()


def test_hours_start_at_the_full_local_hour_or_at_a_switch(name: str) -> None:
    tz = ZoneInfo(name)
    odd = [window for window in windows(Interval.HOUR, tz) if local(window.start, tz).minute]
    assert [local(w.start, tz).utcoffset() != local(w.start - SECOND, tz).utcoffset() for w in odd] == [True] * len(odd)
    assert len(odd) == (2 if name == "Australia/Lord_Howe" else 0)


def test_days_start_at_the_first_instant_of_their_date(name: str) -> None:
    tz = ZoneInfo(name)
    dates = []
    for window in windows(Interval.DAY, tz):
        assert local(window.start - SECOND, tz).date() < local(window.start, tz).date()
        dates.append(local(window.start, tz).date())
        assert localtime.day_start(window.end - SECOND, tz) == window.start
        assert localtime.next_day_start(window.start, tz) == window.end
    assert dates == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def test_days_are_sums_of_whole_hours(name: str) -> None:
    tz = ZoneInfo(name)
    hours = Counter[datetime]()
    for window in windows(Interval.HOUR, tz):
        hours[localtime.day_start(window.start, tz)] += int(window.length.total_seconds())
    days = {window.start: int(window.length.total_seconds()) for window in windows(Interval.DAY, tz)}
    assert hours == days
    assert sorted(seconds / 3600 for seconds in days.values() if seconds != 86400) == ODD_DAYS[name]


def test_weeks_start_on_monday_and_months_on_the_first(name: str) -> None:
    tz = ZoneInfo(name)
    weeks = list(localtime.buckets(year_of(tz), Interval.WEEK, tz))
    assert {local(start, tz).weekday() for start in weeks} == {0}
    assert len(weeks) == 53
    assert weeks[0] <= year_of(tz).start < weeks[1]
    months = [localtime.month_range(2026, month, tz) for month in range(1, 13)]
    assert [(local(m.start, tz).month, local(m.start, tz).day) for m in months] == [(n, 1) for n in range(1, 13)]
    assert months == windows(Interval.MONTH, tz)


def test_automatic_interval_draws_a_readable_number_of_points(name: str) -> None:
    tz = ZoneInfo(name)
    end = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for hours in (1, 3, 6, 16, 24, 48, 7 * 24, 30 * 24, 90 * 24, 200 * 24, 365 * 24):
        period = TimeRange(end - timedelta(hours=hours), end)
        points = len(list(localtime.buckets(period, localtime.automatic_interval(period), tz)))
        assert 29 < points <= 215, hours


@pytest.mark.parametrize("interval", localtime.SEVERAL_HOURS)
def test_several_hours_are_whole_hours_and_divide_every_day(name: str, interval: Interval) -> None:
    tz = ZoneInfo(name)
    hours = {one.start for one in windows(Interval.HOUR, tz)}
    found = windows(interval, tz)
    assert {one.start for one in found} <= hours
    assert {one.start for one in windows(Interval.DAY, tz)} <= {one.start for one in found}
    usual = Counter(one.length for one in found).most_common(1)[0][0]
    assert usual == timedelta(hours=localtime.SEVERAL_HOURS[interval])
    assert max(one.length for one in found) <= usual + timedelta(hours=1)
    for one in (*found[:40], *(part for part in found if part.length != usual)):
        for instant in (one.start, one.start + one.length / 2, one.end - SECOND):
            assert localtime.bucket_start(instant, interval, tz) == one.start
        assert localtime.next_bucket_start(one.start, interval, tz) == one.end
