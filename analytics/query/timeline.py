"""The buckets of a question and their lengths."""

from datetime import datetime

from analytics.query.values import Bucket, Query
from metricsportal.lib.localtime import buckets, next_bucket_start, zone


def bucket_list(query: Query, now: datetime, *, clip: bool = True) -> tuple[Bucket, ...]:
    """The buckets of the period; clipped ones divide rates by their real length, the current one up to now."""
    period = query.period
    if query.interval is None:
        return (Bucket(period.start, period.end, period.end > now),)
    tz = zone(query.scope.zone)
    answer = []
    for start in buckets(period, query.interval, tz):
        end = next_bucket_start(start, query.interval, tz)
        cut = start < period.start or end > period.end or end > now
        answer.append(Bucket(max(start, period.start), min(end, period.end), cut) if clip else Bucket(start, end, cut))
    return tuple(answer)


def seconds_of(bucket: Bucket, now: datetime) -> float:
    """Length of a bucket up to now."""
    return max((min(bucket.end, max(now, bucket.start)) - bucket.start).total_seconds(), 0.0)
