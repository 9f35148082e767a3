"""A report: one question answered as flat rows, one column per group and measure, piece by piece."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from analytics.catalog import measures
from analytics.catalog.dimensions import Dimension
from analytics.catalog.measures import Selection, Unit
from analytics.exports import manifest
from analytics.exports.cells import JsonValue, instant, json_value, short_instant
from analytics.exports.explanation import explanation
from analytics.exports.report_batches import batches
from analytics.exports.source import Opening
from analytics.exports.table import Batch, Column, Kind, Table
from analytics.query import engine, planner
from analytics.query.comparing import compared
from analytics.query.explaining import noted, noting
from analytics.query.flat import Flat, flat
from analytics.query.snapshot import snapshot
from analytics.query.values import Compare, Meta, Part, Query, Result
from metricsportal.lib.histogram import RELATIVE_ERROR
from metricsportal.lib.localtime import SUB_HOUR_MINUTES, Interval, local_date, zone
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


@dataclass(frozen=True, slots=True)
class Report:
    """What is asked for: the query, and the group columns in order; None stands for the bucket's column."""

    query: Query
    groups: tuple[Dimension | None, ...] = ()
    explain: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The groups, then the measures."""
        groups = (Column(self._word if one is None else one.name, Kind.TEXT) for one in self.groups)
        asked = self.query.selections
        earlier = asked if self.compared else ()
        measures = ((one.name, one) for one in asked), ((f"{one.name}_previous", one) for one in earlier)
        return (*groups, *(Column(name, _kind(one)) for name, one in chain(*measures)))

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


def _kind(selection: Selection) -> Kind:
    measure = selection.measure
    if measure.unit is Unit.USD:
        return Kind.MONEY
    return Kind.WHOLE if measure.kind in (measures.Kind.COUNT, measures.Kind.ADDITIVE) else Kind.REAL


def days_of(period: TimeRange, zone_name: str) -> str:
    """First and last local day of a range: 2026-10-01_2026-10-31."""
    last = max(period.start, period.end - timedelta(microseconds=1))
    return f"{local_date(period.start, zone(zone_name))}_{local_date(last, zone(zone_name))}"


class ReportSource:
    """The rows of a report, asked at one instant."""

    def __init__(self, report: Report, now: datetime) -> None:
        self._report, self._now = report, now
        self._parts: list[Part] = []

    @cached_property
    def _overall(self) -> Result:
        """The ungrouped answer over the whole range."""
        with noted() as parts:
            _check_size(self._report.query)
            answer = engine.run(replace(self._report.query, group_by=(), interval=None), self._now)
        self._parts += parts
        return answer

    def opening(self) -> Opening:
        """Totals and meta, and the manifest that is made of them."""
        totals, meta = _totals(self._report, self._overall), _meta(self._report, self._overall)
        return {"manifest": _manifest(self._report, totals, meta), "totals": totals, "meta": meta}

    def batches(self, mark: str | None = None) -> Iterator[Batch]:
        """Bucket after bucket; a mark is the end of one."""
        report, query = self._report, self._report.query
        if mark is not None:
            query = replace(query, period=TimeRange(datetime.fromisoformat(mark), query.period.end))
        if not report.groups:
            parts = iter([_ungrouped(self._overall)])
        else:
            parts = compared(query, self._now) if report.compared else flat(query, self._now)
        return batches(noting(parts, self._parts), report)

    def table(self, opening: Opening, batches: Iterator[Batch]) -> Table:
        """The report as a table; totals and meta are known before the first row."""

        def ending(rows: int) -> Mapping[str, Any]:
            explained = {"explain": explanation(self._parts)} if self._report.explain else {}
            return {"totals": opening["totals"], "meta": opening["meta"] | explained | {"row_count": rows}}

        return Table(self._report.columns, batches, ending, opening["manifest"])

    def fraction(self, opening: Opening, mark: str) -> float:
        """By the time covered."""
        period = self._report.query.period
        return (datetime.fromisoformat(mark) - period.start) / period.length


def _ungrouped(overall: Result) -> Flat:
    """The one row of a report without groups, which is there even over nothing."""
    previous = overall.previous.summary.total if overall.previous else ()
    return Flat([None], [0], [()], [0], [[value] for value in (*overall.summary.total, *previous)])


def _check_size(query: Query) -> None:
    """Raise RefusedQueryError when buckets below an hour would read too many requests, which is known at once."""
    if query.interval not in SUB_HOUR_MINUTES:
        return
    with snapshot():
        planner.plan(query)
        if query.compare is not Compare.NONE:
            planner.plan(replace(query, period=engine.previous_period(query)))


def _totals(report: Report, overall: Result) -> dict[str, JsonValue]:
    """The ungrouped answer over the whole range, and over the earlier one when two are compared."""
    asked = report.query.selections
    answer = {one.name: json_value(one, value) for one, value in zip(asked, overall.summary.total, strict=True)}
    if overall.previous is None:
        return answer
    earlier = zip(asked, overall.previous.summary.total, strict=True)
    return answer | {f"{one.name}_previous": json_value(one, value) for one, value in earlier}


def _meta(report: Report, overall: Result) -> dict[str, Any]:
    """How the answer came to be."""
    query, meta = report.query, overall.meta
    document: dict[str, Any] = {
        "timezone": meta.zone,
        "interval": query.interval.value if query.interval else None,
        "start": short_instant(query.period.start),
        "end": short_instant(query.period.end),
        "fresh_until": instant(meta.fresh_until),
        "priced_share": meta.priced_share,
        "unpriced_requests": meta.unpriced_requests,
        "unpriced_tokens": meta.unpriced_tokens,
        "price_book_version": meta.price_book_version,
        "row_count": 0,
        "percentile_error": RELATIVE_ERROR,
        "last_verified": instant(meta.last_verified) if meta.last_verified else None,
    }
    if overall.previous is not None:
        period = overall.previous.query.period
        document["previous"] = {"start": short_instant(period.start), "end": short_instant(period.end)}
    return document | (_explained(meta) if report.explain else {})


def _explained(meta: Meta) -> dict[str, Any]:
    return {
        "source": meta.source,
        "rows_read": meta.rows_read,
        "elapsed_ms": meta.elapsed_ms,
        "stale_hours": meta.stale_hours,
    }


def _manifest(report: Report, totals: Mapping[str, JsonValue], meta: Mapping[str, Any]) -> dict[str, Any]:
    query = report.query
    question = ([column.name for column in report.columns], query.population.value, query.compare.value)
    return {
        **{name: meta[name] for name in ("timezone", "start", "end")},
        "filters": manifest.filter_texts(query.filters),
        "price_book_version": meta["price_book_version"],
        "totals": dict(totals),
        "query_sha256": manifest.fingerprint(query.scope, query.period, query.filters, question),
    }
