"""The rows of a report as batches of columns. The only place that knows how the engine hands them over."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from analytics.catalog.dimensions import Dimension
from analytics.exports.cells import native_label
from analytics.exports.table import BATCH_ROWS, Batch
from analytics.query.flat import Flat
from analytics.query.values import Bucket
from metricsportal.lib.localtime import Interval, bucket_start, zone


def batches(
    parts: Iterator[Flat], groups: Sequence[Dimension | None], interval: Interval | None, zone_name: str
) -> Iterator[Batch]:
    """Batches of at most `BATCH_ROWS` rows. One that ends where a bucket does is marked with the end of that bucket."""
    tz = zone(zone_name)

    def moment(bucket: Bucket | None) -> str | None:
        """The local hour with its offset, or the first local day of the bucket."""
        if bucket is None or interval is None:
            return None
        start = bucket_start(bucket.start, interval, tz).astimezone(tz)
        return start.isoformat() if interval is Interval.HOUR else start.date().isoformat()

    for part in parts:
        columns = _columns(part, groups, {bucket: moment(bucket) for bucket in {*part.buckets}})
        last = part.buckets[-1]
        borders = [*range(0, len(part), BATCH_ROWS), len(part)]
        for begin, end in pairwise(borders):
            done = last.end.isoformat() if last and end == len(part) else None
            yield Batch([column[begin:end] for column in columns], done)


def _columns(
    part: Flat, groups: Sequence[Dimension | None], moments: dict[Bucket | None, str | None]
) -> list[Sequence[Any]]:
    labels = zip(*part.labels, strict=True)
    texts: list[Sequence[Any]] = []
    for one in groups:
        if one is None:
            texts.append([moments[bucket] for bucket in part.buckets])
        else:
            many = next(labels)
            spelt = {label: native_label(one, label) for label in {*many}}
            texts.append([spelt[label] for label in many])
    return [*texts, *part.columns]
