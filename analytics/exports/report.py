"""A report: one question answered as flat rows, one column per group and measure, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import Selection
from analytics.exports.cells import JsonValue, Number, instant, json_value, native_label, number, short_instant
from analytics.exports.explanation import explanation
from analytics.query import engine, planner, streaming
from analytics.query.explaining import noted, noting
from analytics.query.snapshot import snapshot
from analytics.query.values import Bucket, Compare, Meta, Part, Query, Result, Series
from metricsportal.lib.histogram import RELATIVE_ERROR
from metricsportal.lib.localtime import SUB_HOUR_MINUTES, Interval, bucket_start, local_date, zone
from metricsportal.lib.timerange import TimeRange

INTERVAL_WORDS = {
    "minute": Interval.MINUTE,
    "5_minute": Interval.FIVE_MINUTES,
    "15_minute": Interval.QUARTER_HOUR,
    "hour": Interval.HOUR,
    "day": Interval.DAY,
    "week": Interval.WEEK,
    "month": Interval.MONTH,
}
_TIMES = (Interval.HOUR, *SUB_HOUR_MINUTES)
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
        groups = (self._word if one is None else one.name for one in self.groups)
        return (*groups, *(name for name, _ in self.columns))

    @property
    def columns(self) -> tuple[tuple[str, Selection], ...]:
        """The columns of values: the measures, then those of the earlier period when two are compared."""
        asked = self.query.selections
        earlier = asked if self.compared else ()
        return (*((one.name, one) for one in asked), *((f"{one.name}_previous", one) for one in earlier))

    @property
    def compared(self) -> bool:
        """Whether an earlier period stands beside the asked one."""
        return self.query.compare is not Compare.NONE

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
    parts: list[Part]
    written: int = 0

    def json_rows(self) -> Iterator[dict[str, JsonValue]]:
        """Rows with money as text."""
        columns = self.report.columns
        for bucket, series in self._counted():
            values = (json_value(one, value) for (_, one), value in zip(columns, series.total, strict=True))
            yield dict(zip(self.report.header, (*self._groups(bucket, series), *values), strict=True))

    def cells(self) -> Iterator[tuple[str | Number, ...]]:
        """Rows for files in which numbers are numbers, in the order of the header."""
        columns = self.report.columns
        for bucket, series in self._counted():
            values = (number(one, value) for (_, one), value in zip(columns, series.total, strict=True))
            yield (*self._groups(bucket, series), *values)

    def totals(self) -> dict[str, JsonValue]:
        """The ungrouped answer over the whole range, and over the earlier one when two are compared."""
        pairs = zip(self.report.columns, _whole(self.overall).total, strict=True)
        return {name: json_value(selection, value) for (name, selection), value in pairs}

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
        document |= _earlier(self.overall.previous)
        return document | (_explained(meta, self.parts) if self.report.explain else {})

    def _counted(self) -> Iterator[Row]:
        for row in self.rows:
            self.written += 1
            yield row

    def _groups(self, bucket: Bucket | None, series: Series) -> list[str | None]:
        labels = iter(series.labels)
        return [self._moment(bucket) if one is None else native_label(one, next(labels)) for one in self.report.groups]

    def _moment(self, bucket: Bucket | None) -> str | None:
        """The local hour or minute with its offset, or the first local day of the bucket."""
        interval = self.report.query.interval
        if bucket is None or interval is None:
            return None
        tz = zone(self.report.query.scope.zone)
        start = bucket_start(bucket.start, interval, tz).astimezone(tz)
        return start.isoformat() if interval in _TIMES else start.date().isoformat()


def open_report(report: Report, now: datetime) -> Answer:
    """Answer a report. Everything that can be refused is refused here, before a byte is written.

    Raises QueryTooLargeError.
    """
    with noted() as parts:
        _check_facts(report.query)
        overall = engine.run(replace(report.query, group_by=(), interval=None), now)
    rows = noting(_rows(report, overall, now), parts)
    first = next(rows, None)
    return Answer(report, overall, rows if first is None else chain([first], rows), parts)


def _check_facts(query: Query) -> None:
    """Raise QueryTooLargeError when buckets below an hour would read too many requests, which is known at once."""
    if query.interval not in SUB_HOUR_MINUTES:
        return
    with snapshot():
        planner.plan(query)
        if query.compare is not Compare.NONE:
            planner.plan(replace(query, period=engine.previous_period(query)))


def _rows(report: Report, overall: Result, now: datetime) -> Iterator[Row]:
    if not report.groups:
        return iter([(None, _whole(overall))])
    if report.compared or report.query.interval in SUB_HOUR_MINUTES:
        return streaming.stream(report.query, now)
    return engine.stream(report.query, now)


def _whole(overall: Result) -> Series:
    """The summary; with the values of the earlier period behind its own when two are compared."""
    summary, previous = overall.summary, overall.previous
    return replace(summary, total=(*summary.total, *previous.summary.total)) if previous else summary


def _earlier(previous: Result | None) -> dict[str, Any]:
    """The period beside the asked one."""
    if previous is None:
        return {}
    period = previous.query.period
    return {"previous": {"start": short_instant(period.start), "end": short_instant(period.end)}}


def _explained(meta: Meta, parts: list[Part]) -> dict[str, Any]:
    return {
        "source": meta.source,
        "rows_read": meta.rows_read,
        "elapsed_ms": meta.elapsed_ms,
        "stale_hours": meta.stale_hours,
        "explain": explanation(parts),
    }
