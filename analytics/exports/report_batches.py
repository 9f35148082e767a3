"""The rows of a report as batches of columns. The only place that knows how the engine hands them over."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, Protocol

from analytics.catalog.dimensions import Dimension
from analytics.exports.cells import native_label
from analytics.exports.table import BATCH_ROWS, Batch
from analytics.query.flat import Flat
from analytics.query.values import Bucket, Query
from metricsportal.lib.localtime import SUB_HOUR_MINUTES, Interval, bucket_start, zone

_TIMES: Final = (Interval.HOUR, *SUB_HOUR_MINUTES)


class Asked(Protocol):
    """The question of a report."""

    @property
    def query(self) -> Query:
        """What is asked."""

    @property
    def groups(self) -> Sequence[Dimension | None]:
        """The columns of groups; None stands for the bucket's."""

    @property
    def compared(self) -> bool:
        """Whether an earlier period stands beside the asked one."""


def batches(parts: Iterator[Flat], report: Asked) -> Iterator[Batch]:
    """Batches of at most `BATCH_ROWS` rows. One that ends where a bucket does is marked with the end of that bucket.

    Not where two periods are compared: the second half could not be aligned without its beginning.
    """
    interval, groups = report.query.interval, report.groups
    tz = zone(report.query.scope.zone)

    def moment(bucket: Bucket | None) -> str | None:
        """The local hour or minute with its offset, or the first local day of the bucket."""
        if bucket is None or interval is None:
            return None
        start = bucket_start(bucket.start, interval, tz).astimezone(tz)
        return start.isoformat() if interval in _TIMES else start.date().isoformat()

    for part in parts:
        columns = _columns(part, groups, [moment(bucket) for bucket in part.buckets])
        last = part.buckets[-1]
        borders = [*range(0, len(part), BATCH_ROWS), len(part)]
        for begin, end in pairwise(borders):
            done = last.end.isoformat() if last and end == len(part) and not report.compared else None
            yield Batch([column[begin:end] for column in columns], done)


def _columns(part: Flat, groups: Sequence[Dimension | None], moments: Sequence[str | None]) -> list[Sequence[Any]]:
    """What groups and buckets are called is found once for each of them, not in every row."""
    names = zip(*part.groups, strict=True)
    texts: list[Sequence[Any]] = []
    for one in groups:
        spelt = moments if one is None else [native_label(one, label) for label in next(names)]
        texts.append([spelt[place] for place in (part.bucket_of if one is None else part.group_of)])
    return [*texts, *part.columns]
