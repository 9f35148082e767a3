"""A `Result` in the shape of `metrics/query`: camelCase, money as text, one object per row."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from analytics.api.limits import check_points
from analytics.api.question import Question
from analytics.catalog.dimensions import NO_VALUE, Dimension
from analytics.catalog.measures import Kind, Selection
from analytics.exports.cells import instant, json_value
from analytics.exports.explanation import explanation
from analytics.query.labels import OTHER
from analytics.query.values import Bucket, Label, LabelKind, Meta, Part, Result, Series, Value
from metricsportal.lib.histogram import RELATIVE_ERROR
from metricsportal.lib.localtime import zone

Point = dict[str, Any]
_EXPLAINED = {
    "start": "startTimestamp",
    "end": "endTimestamp",
    "rows_read": "rowsRead",
    "elapsed_ms": "elapsedMs",
}


def render(question: Question, result: Result, parts: Sequence[Part]) -> dict[str, Any]:
    """The answer's document; `parts`: what was read for it. Raises TooManyPointsError rather than leave points out."""
    points = list(_points(question, result))
    check_points(len(points))
    summary = _values(result.query.selections, result.summary, None)
    if result.previous:
        summary["previous"] = _values(result.query.selections, result.previous.summary, None)
    meta = _meta(result.meta, len(points)) | ({"explain": _explained(parts)} if question.explain else {})
    return {"data": {"dataPoints": points, "summary": summary}, "meta": meta}


def _points(question: Question, result: Result) -> Iterator[Point]:
    """Distribution: a point per group. Time series: a point per bucket and group that has requests in it."""
    shown = [
        (number, series)
        for number, series in enumerate(_series(result))
        if question.show_other or OTHER not in series.labels
    ]
    if result.query.interval is None:
        for number, series in shown:
            yield _point(question, result, series, number, None)
        return
    for position in range(len(result.buckets)):
        for number, series in shown:
            if series.requests[position]:
                yield _point(question, result, series, number, position)


def _series(result: Result) -> Sequence[Series]:
    """The groups; an ungrouped question has one, even over nothing."""
    return result.series if result.query.group_by else (result.summary,)


def _point(question: Question, result: Result, series: Series, number: int, position: int | None) -> Point:
    bucket = result.buckets[position or 0]
    point = _borders(bucket, result)
    labels = zip(question.group_names, result.query.group_by, series.labels, strict=True)
    for name, dimension, label in labels:
        point |= _group(name, dimension, label)
    point |= _values(result.query.selections, series, position)
    if position is not None:
        point["partial"] = bucket.partial
    if result.previous:
        point["previous"] = _before(result.previous, number, position)
    return point


def _borders(bucket: Bucket, result: Result) -> Point:
    tz = zone(result.query.scope.zone)
    start, end = (moment.astimezone(tz).isoformat() for moment in (bucket.start, bucket.end))
    return {"startTimestamp": start, "endTimestamp": end}


def _group(name: str, dimension: Dimension, label: Label) -> Point:
    """The group's text. A real value spelt like an absence says so."""
    spelt_alike = label.kind is LabelKind.VALUE and label.text in (NO_VALUE, OTHER.text, dimension.empty)
    return {name: label.text} | ({"literal": True} if spelt_alike else {})


def _values(selections: Sequence[Selection], series: Series, position: int | None) -> Point:
    """Requests and every value of one bucket, or of the whole range."""
    if position is None:
        requests, values, samples = series.total_requests, series.total, series.total_samples
    else:
        requests, values, samples = series.requests[position], series.values[position], series.samples[position]
    point: Point = {"total": requests}
    for selection, value, count in zip(selections, values, samples, strict=True):
        point |= _entry(selection, value, count)
    return point


def _entry(selection: Selection, value: Value, count: int) -> Point:
    entry: Point = {selection.api_name: json_value(selection, value)}
    return entry | ({f"{selection.api_name}Samples": count} if selection.measure.kind is Kind.DURATION else {})


def _before(previous: Result, number: int, position: int | None) -> Point | None:
    """The same group at the same place of the period before; null where that period has no such place."""
    groups = _series(previous)
    if number >= len(groups) or (position is not None and position >= len(previous.buckets)):
        return None
    return _values(previous.query.selections, groups[number], position)


def _meta(meta: Meta, rows: int) -> dict[str, Any]:
    return {
        "timezone": meta.zone,
        "interval": meta.interval.value if meta.interval else None,
        "freshUntil": instant(meta.fresh_until),
        "pricedShare": meta.priced_share,
        "unpricedRequests": meta.unpriced_requests,
        "unpricedTokens": meta.unpriced_tokens,
        "priceBookVersion": meta.price_book_version,
        "rowCount": rows,
        "groups": {"shown": meta.groups_shown, "other": meta.groups_other},
        "source": meta.source,
        "rowsRead": meta.rows_read,
        "elapsedMs": meta.elapsed_ms,
        "staleHours": meta.stale_hours,
        "percentileError": RELATIVE_ERROR,
        "lastVerified": _optional(meta.last_verified),
    }


def _explained(parts: Sequence[Part]) -> dict[str, Any]:
    """The explanation in the names of this endpoint."""
    found = explanation(parts)["parts"]
    return {"parts": [{_EXPLAINED.get(name, name): value for name, value in one.items()} for one in found]}


def _optional(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
