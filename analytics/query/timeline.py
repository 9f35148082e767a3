"""The buckets of a question and their lengths."""

from datetime import datetime
from functools import lru_cache

from analytics.query.values import Bucket, Query
from metricsportal.lib.localtime import Interval, buckets, next_bucket_start, zone
from metricsportal.lib.timerange import TimeRange


def bucket_list(query: Query, now: datetime, *, clip: bool = True) -> tuple[Bucket, ...]:
    """The buckets of the period; clipped ones divide rates by their real length, the current one up to now."""
    return _bucket_list(query.period, query.interval, query.scope.zone, now, clip)


@lru_cache(maxsize=64)  # all questions of a page have the same ones
def _bucket_list(
    period: TimeRange, interval: Interval | None, zone_name: str, now: datetime, clip: bool
) -> tuple[Bucket, ...]:
    if interval is None:
        return (Bucket(period.start, period.end, period.end > now),)
    tz = zone(zone_name)
    answer = []
    for start in buckets(period, interval, tz):
        end = next_bucket_start(start, interval, tz)
        cut = start < period.start or end > period.end or end > now
        answer.append(Bucket(max(start, period.start), min(end, period.end), cut) if clip else Bucket(start, end, cut))
    return tuple(answer)


def seconds_of(bucket: Bucket, now: datetime) -> float:
    """Length of a bucket up to now."""
    return max((min(bucket.end, max(now, bucket.start)) - bucket.start).total_seconds(), 0.0)
