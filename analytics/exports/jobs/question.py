"""Checked questions as plain JSON, to be asked later: by their names, because a name is what stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.catalog.measures import NATIVE, Population
from analytics.exports.focus.question import FocusQuestion
from analytics.exports.focus.source import FocusSource
from analytics.exports.manifest import filter_texts
from analytics.exports.report import INTERVAL_WORDS, Report, ReportSource, days_of
from analytics.exports.requests import RequestSource
from analytics.exports.source import Source
from analytics.query.facts_list import EVER
from analytics.query.parsing import groupable_dimension, parse_filter
from analytics.query.values import Filter, Query
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """A question ready to be kept: report or requests, its JSON, and how a file of it is called."""

    subject: str
    question: Mapping[str, Any]
    file_subject: str
    days: str


def of_report(report: Report) -> Asked:
    """A report, without its scope."""
    query = report.query
    question = {
        **_borders(query.period),
        "groups": [column.name for column in report.columns[: len(report.groups)]],
        "measures": [selection.name for selection in query.selections],
        "filters": filter_texts(query.filters),
        "population": query.population.value,
        "explain": report.explain,
    }
    return Asked("report", question, "metrics", report.days)


def of_requests(scope: Scope, period: TimeRange, filters: tuple[Filter, ...], now: datetime) -> Asked:
    """Single requests. Without an end they end now: what arrives while the file is made does not belong to it."""
    days = "all" if period == EVER else days_of(period, scope.zone)
    until = TimeRange(period.start, max(period.start, now) if period.end == EVER.end else period.end)
    return Asked("requests", {**_borders(until), "filters": filter_texts(filters)}, "requests", days)


def of_focus(question: FocusQuestion) -> Asked:
    """A FOCUS file."""
    return Asked("focus", question.to_json(), f"focus-{question.version}", question.days)


def source_of(subject: str, question: Mapping[str, Any], scope: Scope, now: datetime) -> Source:
    """The question, asked with a scope. Raises InvalidQueryError when a metadata key in it has gone."""
    if subject == "focus":
        return FocusSource(scope, FocusQuestion.from_json(question), now)
    period = TimeRange(*(datetime.fromisoformat(question[name]) for name in ("start", "end")))
    filters = tuple(parse_filter(text, scope) for text in question["filters"])
    if subject == "requests":
        return RequestSource(scope, period, filters, now)
    names = question["groups"]
    groups = tuple(
        None if name in INTERVAL_WORDS else groupable_dimension(name, scope, ("group_by",)) for name in names
    )
    query = Query(
        scope=scope,
        period=period,
        selections=tuple(NATIVE[name] for name in question["measures"]),
        group_by=tuple(one for one in groups if one is not None),
        filters=filters,
        interval=next((INTERVAL_WORDS[name] for name in names if name in INTERVAL_WORDS), None),
        population=Population(question["population"]),
        limit=None,
        other=False,
    )
    return ReportSource(Report(query, groups, question["explain"]), now)


def _borders(period: TimeRange) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}
