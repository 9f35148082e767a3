"""A report: one question answered as flat rows, one column per group and measure, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from analytics.catalog.dimensions import Dimension
from analytics.exports.cells import JsonValue, Number, instant, json_value, native_label, number, short_instant
from analytics.query import engine
from analytics.query.values import Bucket, Meta, Query, Result, Series
from metricsportal.lib.histogram import RELATIVE_ERROR
from metricsportal.lib.localtime import Interval, bucket_start, local_date, zone
from metricsportal.lib.timerange import TimeRange

INTERVAL_WORDS = {
    "hour": Interval.HOUR,
    "day": Interval.DAY,
    "week": Interval.WEEK,
    "month": Interval.MONTH,
}
Row = tuple[Bucket | None, Series]


@dataclass(frozen=True, slots=True)
class Report:
    """What is asked for: the query, and the group columns in order; None stands for the bucket's column."""

    query: Query
    groups: tuple[Dimension | None, ...] = ()
    explain: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """Column names: the groups, then the measures."""
        return (*(self._word if one is None else one.name for one in self.groups), *self.measures)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(selection.name for selection in self.query.selections)

    @property
    def _word(self) -> str:
        return next(word for word, interval in INTERVAL_WORDS.items() if interval is self.query.interval)

    @property
    def days(self) -> str:
        """First and last local day, for names of files."""
        return days_of(self.query.period, self.query.scope.zone)


def days_of(period: TimeRange, zone_name: str) -> str:
    """First and last local day of a range: 2026-10-01_2026-10-31."""
    last = max(period.start, period.end - timedelta(microseconds=1))
    return f"{local_date(period.start, zone(zone_name))}_{local_date(last, zone(zone_name))}"


@dataclass(slots=True)
class Answer:
    """A report being written: totals and meta are known before the first row, the rows come as they are read."""

    report: Report
    overall: Result
    rows: Iterator[Row]
    written: int = 0

    def json_rows(self) -> Iterator[dict[str, JsonValue]]:
        """Rows with money as text."""
        selections = self.report.query.selections
        for bucket, series in self._counted():
            values = (json_value(one, value) for one, value in zip(selections, series.total, strict=True))
            yield dict(zip(self.report.header, (*self._groups(bucket, series), *values), strict=True))

    def cells(self) -> Iterator[tuple[str | Number, ...]]:
        """Rows for files in which numbers are numbers, in the order of the header."""
        selections = self.report.query.selections
        for bucket, series in self._counted():
            values = (number(one, value) for one, value in zip(selections, series.total, strict=True))
            yield (*self._groups(bucket, series), *values)

    def totals(self) -> dict[str, JsonValue]:
        """The ungrouped answer over the whole range."""
        pairs = zip(self.report.query.selections, self.overall.summary.total, strict=True)
        return {selection.name: json_value(selection, value) for selection, value in pairs}

    def meta(self) -> dict[str, Any]:
        """How the answer came to be; `row_count` is complete once every row was taken."""
        query, meta = self.report.query, self.overall.meta
        document = {
            "timezone": meta.zone,
            "interval": query.interval.value if query.interval else None,
            "start": short_instant(query.period.start),
            "end": short_instant(query.period.end),
            "fresh_until": instant(meta.fresh_until),
            "priced_share": meta.priced_share,
            "unpriced_requests": meta.unpriced_requests,
            "unpriced_tokens": meta.unpriced_tokens,
            "price_book_version": meta.price_book_version,
            "row_count": self.written,
            "percentile_error": RELATIVE_ERROR,
            "last_verified": instant(meta.last_verified) if meta.last_verified else None,
        }
        return document | (_explained(meta) if self.report.explain else {})

    def _counted(self) -> Iterator[Row]:
        for row in self.rows:
            self.written += 1
            yield row

    def _groups(self, bucket: Bucket | None, series: Series) -> list[str | None]:
        labels = iter(series.labels)
        return [self._moment(bucket) if one is None else native_label(one, next(labels)) for one in self.report.groups]

    def _moment(self, bucket: Bucket | None) -> str | None:
        """The local hour with its offset, or the first local day of the bucket."""
        interval = self.report.query.interval
        if bucket is None or interval is None:
            return None
        tz = zone(self.report.query.scope.zone)
        start = bucket_start(bucket.start, interval, tz).astimezone(tz)
        return start.isoformat() if interval is Interval.HOUR else start.date().isoformat()


def open_report(report: Report, now: datetime) -> Answer:
    """Answer a report. Everything that can be refused is refused here, before a byte is written.

    Raises RefusedQueryError.
    """
    overall = engine.run(replace(report.query, group_by=(), interval=None), now)
    rows = _rows(report, overall, now)
    first = next(rows, None)
    return Answer(report, overall, rows if first is None else chain([first], rows))


def _rows(report: Report, overall: Result, now: datetime) -> Iterator[Row]:
    if report.groups:
        return engine.stream(report.query, now)
    return iter([(None, overall.summary)])


def _explained(meta: Meta) -> dict[str, Any]:
    return {
        "source": meta.source,
        "rows_read": meta.rows_read,
        "elapsed_ms": meta.elapsed_ms,
        "stale_hours": meta.stale_hours,
    }
