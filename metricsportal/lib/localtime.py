"""Hours, days, weeks and months of a reporting zone, as the UTC instants at which they start.

An hour bucket is a local hour, so that local days are sums of whole buckets in every zone (+5:30, +5:45, daylight
saving). Where the minutes of an offset change (Lord Howe), a bucket starts at the switch instead of inside its
predecessor.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from metricsportal.lib.timerange import TimeRange

HOUR = timedelta(hours=1)


class Interval(StrEnum):
    """Length of the buckets of an answer. Sub-hour intervals are aligned to the local hour, hours to the local day."""

    MINUTE = "1 minute"
    FIVE_MINUTES = "5 minute"
    QUARTER_HOUR = "15 minute"
    HOUR = "1 hour"
    TWO_HOURS = "2 hour"
    THREE_HOURS = "3 hour"
    FOUR_HOURS = "4 hour"
    SIX_HOURS = "6 hour"
    EIGHT_HOURS = "8 hour"
    TWELVE_HOURS = "12 hour"
    DAY = "1 day"
    WEEK = "1 week"
    MONTH = "1 month"


SUB_HOUR_MINUTES = {Interval.MINUTE: 1, Interval.FIVE_MINUTES: 5, Interval.QUARTER_HOUR: 15}
SEVERAL_HOURS: dict[Interval, int] = {
    one: int(one.value.split()[0]) for one in Interval if one.value.endswith("hour") and one is not Interval.HOUR
}
"""Hours of the intervals between an hour and a day; a switch makes the last bucket of its day shorter or longer."""

# Widest range per interval, chosen so that a chart has 60 to 210 points.
_AUTOMATIC: tuple[tuple[timedelta, Interval], ...] = (
    (timedelta(hours=3), Interval.MINUTE),
    (timedelta(hours=16), Interval.FIVE_MINUTES),
    (timedelta(hours=48), Interval.QUARTER_HOUR),
    (timedelta(days=8, hours=1), Interval.HOUR),
    (timedelta(days=200), Interval.DAY),
    (timedelta(days=1461), Interval.WEEK),
)


def automatic_interval(period: TimeRange) -> Interval:
    """The interval that draws a range with 60 to about 200 points."""
    return next((interval for longest, interval in _AUTOMATIC if period.length <= longest), Interval.MONTH)


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises zoneinfo.ZoneInfoNotFoundError or ValueError."""
    return ZoneInfo(name)


def _minutes_of_offset(instant: datetime, tz: ZoneInfo) -> timedelta:
    offset = instant.astimezone(tz).utcoffset() or timedelta()
    return offset % HOUR


def _switch_between(start: datetime, end: datetime, tz: ZoneInfo) -> datetime:
    """The first instant after `start` whose offset minutes are those of `end`, to the second."""
    low, high, target = start, end, _minutes_of_offset(end, tz)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle in (low, high):
            break
        low, high = (low, middle) if _minutes_of_offset(middle, tz) == target else (middle, high)
    return high


@lru_cache(maxsize=65536)
def _hour_start_of_quarter(quarter: int, tz_name: str) -> datetime:
    tz = ZoneInfo(tz_name)
    instant = datetime.fromtimestamp(quarter * 900, UTC)
    local = instant.astimezone(tz)
    start = instant - timedelta(minutes=local.minute, seconds=local.second)
    if _minutes_of_offset(start, tz) != _minutes_of_offset(instant, tz):
        return _switch_between(start, instant, tz)
    return start


def hour_start(instant: datetime, tz: ZoneInfo) -> datetime:
    """The UTC instant at which the local hour of `instant` starts.

    Offsets since 1970 are whole quarters of an hour, so one quarter never spans two buckets.
    """
    return _hour_start_of_quarter(int(instant.timestamp() // 900), tz.key)


def next_hour_start(start: datetime, tz: ZoneInfo) -> datetime:
    """The start of the bucket after the one that starts at `start`."""
    following = hour_start(start + HOUR, tz)
    if following > start:
        quarter = hour_start(start + HOUR / 2, tz)
        return quarter if quarter > start else following
    return hour_start(start + HOUR + HOUR / 2, tz)


def midnight(day: date, tz: ZoneInfo) -> datetime:
    """The first instant of a local date, in UTC; 00:00 may not exist (Santiago, Cairo)."""
    naive = datetime(day.year, day.month, day.day, tzinfo=tz)
    instant = naive.astimezone(UTC)
    if instant.astimezone(tz).date() < day:  # 00:00 does not exist: the date begins at the switch
        return _first_instant_of(day, instant, instant + timedelta(hours=3), tz)
    earlier = naive.replace(fold=0).astimezone(UTC)
    return min(instant, earlier)


def _first_instant_of(day: date, low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle in (low, high):
            break
        low, high = (low, middle) if middle.astimezone(tz).date() >= day else (middle, high)
    return high


def local_date(instant: datetime, tz: ZoneInfo) -> date:
    """The calendar date of an instant in the zone."""
    return instant.astimezone(tz).date()


def day_start(instant: datetime, tz: ZoneInfo) -> datetime:
    """The first instant of the local day of `instant`."""
    return midnight(local_date(instant, tz), tz)


def next_day_start(instant: datetime, tz: ZoneInfo) -> datetime:
    """The first instant of the local day after that of `instant`."""
    return midnight(local_date(instant, tz) + timedelta(days=1), tz)


def month_range(year: int, month: int, tz: ZoneInfo) -> TimeRange:
    """A local calendar month."""
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return TimeRange(midnight(first, tz), midnight(following, tz))


def bucket_start(instant: datetime, interval: Interval, tz: ZoneInfo) -> datetime:
    """The start of the bucket that holds `instant`."""
    if interval in SUB_HOUR_MINUTES:
        hour = hour_start(instant, tz)
        step = timedelta(minutes=SUB_HOUR_MINUTES[interval])
        return hour + (instant - hour) // step * step
    if interval is Interval.HOUR:
        return hour_start(instant, tz)
    if interval in SEVERAL_HOURS:
        return max(start for start in _parts_of_day(instant, interval, tz) if start <= instant)
    day = local_date(instant, tz)
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    elif interval is Interval.MONTH:
        day = day.replace(day=1)
    return midnight(day, tz)


def _parts_of_day(instant: datetime, interval: Interval, tz: ZoneInfo) -> list[datetime]:
    """Starts of the buckets of several hours in the local day of an instant; each is the start of an hour."""
    hours, day = SEVERAL_HOURS[interval], day_start(instant, tz)
    return [day, *(hour_start(day + HOUR * after, tz) for after in range(hours, 24, hours))]


def next_bucket_start(start: datetime, interval: Interval, tz: ZoneInfo) -> datetime:
    """The start of the bucket after the one that starts at `start`."""
    if interval in SUB_HOUR_MINUTES:
        step = timedelta(minutes=SUB_HOUR_MINUTES[interval])
        return min(start + step, next_hour_start(hour_start(start, tz), tz))
    if interval is Interval.HOUR:
        return next_hour_start(start, tz)
    if interval in SEVERAL_HOURS:
        following = next_day_start(start, tz)
        return min((one for one in _parts_of_day(start, interval, tz) if one > start), default=following)
    day = local_date(start, tz)
    if interval is Interval.MONTH:
        return midnight(date(day.year + day.month // 12, day.month % 12 + 1, 1), tz)
    return midnight(day + timedelta(days=7 if interval is Interval.WEEK else 1), tz)


def buckets(period: TimeRange, interval: Interval, tz: ZoneInfo) -> Iterator[datetime]:
    """Starts of all buckets that meet the range, in order; the first may lie before it."""
    start = bucket_start(period.start, interval, tz)
    while start < period.end:
        yield start
        start = next_bucket_start(start, interval, tz)
