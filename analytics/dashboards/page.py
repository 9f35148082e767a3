"""The whole page as data: the same dictionary renders the HTML and answers the browser's fetch."""

from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict

from analytics.dashboards import annotations, budget_lines, choices
from analytics.dashboards.api_questions import api_questions
from analytics.dashboards.charts import charts
from analytics.dashboards.panels import beside
from analytics.dashboards.questions import Answers, ask
from analytics.dashboards.state import EVERYONE, State, parse
from analytics.dashboards.tables import breakdown, counters
from analytics.query.parsing import OPERATOR_WORDS, filter_of, filter_text
from analytics.query.span import recorded_span
from analytics.query.values import Bucket, Filter, LabelKind, RefusedQueryError
from metricsportal.lib.histogram import RELATIVE_ERROR
from teams.access import Reach, Scope


def build(params: QueryDict, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page shows for a URL's parameters, to this viewer."""
    state = parse(params, scope, now)
    head = head_of(state, scope, now) | {"annotations": annotations.shown(scope, state.period)}
    if scope.reach is Reach.NOTHING:
        return head | _blank("no_permission", None)
    try:
        answers = ask(state, scope, now)
    except RefusedQueryError as error:
        return head | _blank(None, error)
    body = _body(state, scope, answers)
    interval = answers.charted.query.interval or state.interval
    for panel in body["panels"]:
        if panel["name"] == "cost":
            panel["budgets"] = budget_lines.lines(state, scope, interval, now)
    return head | body


def _instant(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z") if instant else None


def head_of(state: State, scope: Scope, now: datetime) -> dict[str, Any]:
    """What stands above the numbers: the state of the URL, what can be chosen, the range in words."""
    return {
        "state": {
            "from": state.start_text,
            "to": state.end_text,
            "by": state.view,
            "key": state.key,
            "p": state.percentile,
            "pop": state.population.value,
            "top": state.top,
            "interval": state.interval_text,
            "compare": EVERYONE if state.everyone else state.compare.value,
            "failures": state.failures,
            "codes": state.codes,
            "notes": state.notes,
            "filters": [_chip(one) for one in state.filters],
        },
        "choices": choices.choices(state, scope, now),
        "view": {
            "by": state.view,
            "key": state.key,
            "label": state.dimension.plural or state.dimension.label,
        },
        "range": {
            "start": _instant(state.period.start),
            "end": _instant(state.period.end),
            "label": choices.range_label(state, scope.zone),
            "zone": scope.zone,
        },
        "interval": _interval(state.interval.value, automatic=state.automatic),
        "messages": list(state.messages),
    }


def _interval(name: str, *, automatic: bool) -> dict[str, Any]:
    return {"name": name, "label": choices.INTERVAL_WORDS[name], "auto": automatic}


def _chip(one: Filter) -> dict[str, Any]:
    return {
        "text": filter_text(one),
        "field": one.dimension.name,
        "field_label": one.dimension.label,
        "op": one.operator.value,
        "op_label": OPERATOR_WORDS[one.operator],
        "values": list(one.values),
    }


def problem_of(error: RefusedQueryError) -> dict[str, Any]:
    """A refusal in words, with what to narrow."""
    return {"title": error.title, "detail": str(error), "suggestions": list(error.suggestions)}


def _blank(empty: str | None, error: RefusedQueryError | None) -> dict[str, Any]:
    return {
        "buckets": {"starts": [], "end": None, "partial_from": None},
        "groups": [],
        "counters": [],
        "panels": [],
        "questions": {},
        "breakdown": {"columns": [], "rows": [], "total": {}, "page": 1, "pages": 1, "count": 0, "sort": "-requests"},
        "meta": {},
        "empty": empty,
        "empty_hint": {},
        "problem": problem_of(error) if error else None,
    }


def _body(state: State, scope: Scope, answers: Answers) -> dict[str, Any]:
    charted, meta = answers.charted, answers.charted.meta
    requests = answers.counted.summary.total_requests
    empty, hint = (None, {}) if requests else emptiness(state, scope)
    interval = charted.query.interval or state.interval
    earlier = (answers.counted.previous or answers.counted).query.period
    return {
        "buckets": _buckets(charted.buckets, state),
        "interval": _interval(interval.value, automatic=state.automatic),
        "previous": {"start": _instant(earlier.start), "end": _instant(earlier.end)},
        "groups": [
            {
                "label": f"Other ({len(answers.table.every.series) - len(answers.groups) + 1:,})"
                if label.kind is LabelKind.OTHER
                else label.text,
                "kind": label.kind.value,
                "filter": filter_of(state.dimension.name, label),
                "beside": beside(one),
            }
            for one in answers.charted.series
            for label in one.labels
        ],
        "everyone": beside(answers.everyone) if answers.everyone else {},
        "narrowed": [
            label.text for one in answers.charted.series for label in one.labels if label.text in state.isolated
        ]
        if answers.narrowed
        else [],
        "counters": counters(answers),
        "panels": charts(state, answers),
        "questions": api_questions(state, answers),
        "breakdown": breakdown(state, answers),
        "meta": {
            "fresh_until": _instant(meta.fresh_until),
            "source": meta.source,
            "rows_read": meta.rows_read + answers.table.every.meta.rows_read + answers.table.rows.meta.rows_read,
            "elapsed_ms": sum(one.meta.elapsed_ms for one in answers.results),
            "priced_share": answers.counted.meta.priced_share,
            "reported_share": answers.counted.meta.reported_share,
            "unpriced_requests": answers.counted.meta.unpriced_requests,
            "unpriced_tokens": answers.counted.meta.unpriced_tokens,
            "percentile_error": RELATIVE_ERROR,
            "percentile_error_text": f"{RELATIVE_ERROR * 100:.2f} %",
            "last_verified": _instant(meta.last_verified),
            "stale_hours": max(meta.stale_hours, answers.counted.meta.stale_hours),
            "price_book_version": meta.price_book_version,
        },
        "empty": empty,
        "empty_hint": hint,
        "problem": None,
    }


def _buckets(buckets: tuple[Bucket, ...], state: State) -> dict[str, Any]:
    starts = [int(bucket.start.timestamp() * 1000) for bucket in buckets]
    last = len(buckets) - 1 if buckets and buckets[-1].partial else None
    return {"starts": starts, "end": int(state.period.end.timestamp() * 1000), "partial_from": last}


def emptiness(state: State, scope: Scope) -> tuple[str, dict[str, str | None]]:
    """Why the page is empty, and where the nearest data is."""
    first, last = recorded_span(scope)
    if first is None:
        return "nothing_ingested", {}
    inside = state.period.start <= (last or first) and first < state.period.end
    kind = "nothing_for_filters" if state.filters and inside else "nothing_in_range"
    return kind, {"first": _instant(first), "last": _instant(last)}
