"""The rows of a report as batches of columns. The only place that knows how the engine hands them over."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from analytics.catalog.dimensions import Dimension
from analytics.exports.cells import native_label
from analytics.exports.table import BATCH_ROWS, Batch
from analytics.query.values import Bucket, Series
from metricsportal.lib.localtime import Interval, bucket_start, zone

Row = tuple[Bucket | None, Series]
PATIENCE: Final = 0.5  # seconds after which a reader gets the buckets that are there, however few rows they have


def batches(
    rows: Iterator[Row], groups: Sequence[Dimension | None], interval: Interval | None, zone_name: str
) -> Iterator[Batch]:
    """Batches of at most `BATCH_ROWS` rows. One that ends where a bucket does is marked with the end of that bucket."""
    tz = zone(zone_name)

    def moment(bucket: Bucket | None) -> str | None:
        """The local hour with its offset, or the first local day of the bucket."""
        if bucket is None or interval is None:
            return None
        start = bucket_start(bucket.start, interval, tz).astimezone(tz)
        return start.isoformat() if interval is Interval.HOUR else start.date().isoformat()

    for part, until in _parts(rows):
        spelt = {bucket: moment(bucket) for bucket in {bucket for bucket, _ in part}}
        labels = zip(*(series.labels for _, series in part), strict=True)
        columns: list[Sequence[Any]] = [
            [spelt[bucket] for bucket, _ in part]
            if one is None
            else [native_label(one, label) for label in next(labels)]
            for one in groups
        ]
        columns.extend(zip(*(series.total for _, series in part), strict=True))
        yield Batch(columns, until.isoformat() if until else None)


def _parts(rows: Iterator[Row]) -> Iterator[tuple[list[Row], datetime | None]]:
    """Rows by the batch, with the instant up to which everything has been handed over by then."""
    part: list[Row] = []
    began, before = time.monotonic(), None
    for row in rows:
        bucket = row[0]
        border = before is not None and bucket is not before
        waited = border and (len(part) >= BATCH_ROWS // 2 or time.monotonic() - began > PATIENCE)
        if part and (waited or len(part) == BATCH_ROWS):
            yield part, before.end if border and before else None
            part, began = [], time.monotonic()
        part.append(row)
        before = bucket
    if part:
        yield part, before.end if before else None
