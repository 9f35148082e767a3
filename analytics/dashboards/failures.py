"""The two charts of failures: by error type, status code or class of failure, or by the groups of the page."""

from collections.abc import Iterator, Sequence
from typing import Any

from analytics.catalog.measures import Unit, select
from analytics.dashboards.panels import Panel, lines, text
from analytics.dashboards.questions import Answers
from analytics.dashboards.state import State
from analytics.query.parsing import filter_of
from analytics.query.values import LabelKind, Result, Value
from ingestion.records import FailureClass
from metricsportal.lib import formats

_Kind = tuple[dict[str, Any], Sequence[Value], Value]
"""One kind of failure: what names it, failed requests per bucket, failed requests of the range."""


def failed_requests(panel: Panel, state: State, answers: Answers) -> dict[str, Any]:
    """Failed requests per error type, or per group."""
    whole = "the height of the stack is the number of failed requests."
    if answers.by_error_type is None:
        found = lines(answers.charted, select("failed_requests"), panel)
        found["series"] = [one for one in found["series"] if one["range"]]
        one_of = state.key or state.dimension.label.lower()
        return (
            _head(panel, f"Request failures by {one_of}", Unit.COUNT, f"Failed requests per {one_of}; {whole}") | found
        )
    result = answers.by_error_type
    total = result.summary.total[0] or 0
    return _head(panel, "Request failures by error type", Unit.COUNT, f"Failed requests per error type; {whole}") | {
        "headline": formats.compact(total),
        "range": total,
        "series": [_line(named, counts, count, Unit.COUNT) for named, counts, count in _kinds("error_type", result)],
    }


def failure_rate(panel: Panel, state: State, answers: Answers) -> dict[str, Any]:
    """The share of all requests that failed with a status code, or in a class of failure."""
    result, requests = answers.by_code, _requests(answers)
    whole = sum(requests)
    one_of, kinds = "status code", _kinds("status_code", result)
    if state.codes == "class":
        one_of, kinds = "class", _classes(result)
    series = []
    for named, counts, count in kinds:
        rates = [_over(one, of) for one, of in zip(counts, requests, strict=True)]
        series.append(_line(named, rates, _over(count, whole), Unit.SHARE) | {"counts": list(counts)})
    rate = _over(sum(int(value or 0) for value in result.summary.total), whole)
    adds_up = "together they are the failure rate."
    definition = f"Failed requests per {one_of} / all requests; {adds_up}"
    return _head(panel, f"Failure rate by {one_of}", Unit.SHARE, definition) | {
        "headline": formats.share(rate),
        "range": rate,
        "series": series,
    }


def _requests(answers: Answers) -> Sequence[int]:
    """All requests per bucket, or those of the groups to which the chart is narrowed."""
    if answers.narrowed is None:
        return answers.charted.summary.requests
    left = set(answers.narrowed.values)
    kind = LabelKind.VALUE if left else LabelKind.NONE
    series = [one for one in answers.charted.series if one.labels[0].kind is kind]
    rows = [one.requests for one in series if not left or one.labels[0].text in left]
    return [sum(column) for column in zip(*rows, strict=True)]


def _head(panel: Panel, title: str, unit: Unit, definition: str) -> dict[str, Any]:
    return {
        "name": panel.name,
        "title": title,
        "section": panel.section,
        "form": panel.form,
        "unit": unit.value,
        "gap": panel.gap,
        "definition": definition,
    }


def _kinds(dimension: str, result: Result) -> Iterator[_Kind]:
    for one in result.series:
        label = one.labels[0]
        if one.total_requests:
            words = "no status" if label.kind is LabelKind.NONE else label.text
            named = {"label": words, "kind": label.kind.value, "filter": filter_of(dimension, label)}
            yield named, [row[0] for row in one.values], one.total[0]


def _classes(result: Result) -> Iterator[_Kind]:
    """The classes in which anything failed, in their order."""
    for position, kind in enumerate(FailureClass):
        if result.summary.total[position]:
            named = {"label": kind.value, "kind": LabelKind.VALUE.value, "filter": f"failure_class:eq:{kind.value}"}
            yield named, [row[position] for row in result.summary.values], result.summary.total[position]


def _over(part: Value, whole: int) -> float | None:
    return (part or 0) / whole if whole else None


def _line(named: dict[str, Any], values: Sequence[Value], total: Value, unit: Unit) -> dict[str, Any]:
    return named | {
        "group": None,
        "values": list(values),
        "range": total,
        "range_text": text(total, unit),
        "max": max((value for value in values if value is not None), default=None),
    }
