"""A month of the organization, or of one team, user, account or model: what it cost, day by day, and who used it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from analytics.budgets import page as budgets
from analytics.catalog.dimensions import BY_NAME, Dimension
from analytics.catalog.measures import Unit, select
from analytics.dashboards import model_prices
from analytics.dashboards.months import Month, month_of
from analytics.dashboards.page import problem_of
from analytics.dashboards.panels import at_least, drawn, text
from analytics.dashboards.state import parse
from analytics.dashboards.tables import coverage_words
from analytics.query import engine
from analytics.query.outlook import remaining
from analytics.query.parsing import filter_of, filter_text
from analytics.query.snapshot import once, snapshot
from analytics.query.span import recorded_span
from analytics.query.values import (
    Compare,
    Filter,
    LabelKind,
    Operator,
    Query,
    RefusedQueryError,
    Result,
    Series,
    Value,
)
from metricsportal.lib import formats
from metricsportal.lib.localtime import Interval, local_date, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope

ABOUT: Final = ("team", "model", "user", "virtual_account")
"""What a month can be about; of the others the page has a table."""
TOP: Final = 8  # rows of a table
MEASURES: Final = (
    *("cost_usd", "requests", "input_tokens", "output_tokens", "failed_requests", "failure_rate"),
    *("unpriced_requests", "cost_per_1000_usd"),
)
_SUMS: Final = tuple(select(name) for name in MEASURES)
_SPEED: Final = (select("latency", "p50"), select("latency", "p99"), select("ttft", "p50"), select("tpot", "p50"))
_COUNTERS: Final = ("cost_usd", "requests", "input_tokens", "output_tokens")
_PLACE: Final = {name: place for place, name in enumerate(MEASURES)}
_DAY: Final = timedelta(days=1)


def build(params: QueryDict, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page shows for a URL's parameters, to this viewer."""
    month, message = month_of(params.get("month", ""), scope, now)
    state = parse(_with_range(params, month), scope, now)
    subject = _subject(state.filters)
    head = {
        "month": month,
        "messages": [*message, *state.messages],
        "about": subject,
        "filters": [filter_text(one) for one in state.filters],
        "metrics": _link(month, state.filters),
        "empty": scope.reach is Reach.NOTHING,
    }
    if head["empty"]:
        return head
    if subject and subject["kind"] == "model":
        head["prices"] = model_prices.history(scope, subject["name"], now)
    if month.current and (not state.filters or (subject and subject["kind"] == "team")):
        head["budgets"] = budgets.of_subject(scope, subject["name"] if subject else None, now)
    query = Query(scope=scope, period=month.period, selections=_SUMS, filters=state.filters, limit=TOP)
    try:
        with snapshot():
            return head | _body(query, month, now)
    except RefusedQueryError as error:
        return head | {"problem": problem_of(error)}


def _body(query: Query, month: Month, now: datetime) -> dict[str, Any]:
    total, earlier = _both(replace(query, selections=(*_SUMS, *_SPEED)), now)
    if not total.summary.total_requests:
        return {"empty": True, "nothing_yet": _first_request(query.scope) is None}
    daily = replace(query, selections=(*_SUMS, *_SPEED[:2]), interval=Interval.DAY)
    days = _days(engine.run(daily, now), query.scope)
    tables = [_table(BY_NAME[name], query, total.summary, month, now) for name in ABOUT if not _fixed(name, query)]
    return {
        "counters": [_counter(name, total, earlier) for name in _COUNTERS],
        "forecast": _forecast(query, total, month, now),
        "speed": [
            {"label": label, "text": text(value, Unit.MS)}
            for label, value in zip(
                ("Latency P50", "Latency P99", "TTFT P50", "TPOT P50"), total.summary.total[len(_SUMS) :], strict=True
            )
        ],
        "days": days,
        "highest": max(days, key=lambda one: one["height"]),
        "tables": [one for one in tables if one["rows"]],
        "compared": f"compared with {_words(earlier.query.period, query.scope)}" if earlier else "not compared",
    }


def _both(query: Query, now: datetime) -> tuple[Result, Result | None]:
    """The answer, and the same groups at the same days of the month before; None where these were not all recorded."""
    found = engine.run(query, now)
    before = engine.previous_period(replace(query, compare=Compare.PREVIOUS_CALENDAR))
    first = _first_request(query.scope)
    if first is None or first - before.start > _DAY:
        return found, None
    shown = None
    if query.group_by:
        shown = tuple(one.labels for one in found.series if one.labels[0].kind is not LabelKind.OTHER)
    return found, engine.run_if_kept(replace(query, period=before, shown=shown), now)


@once
def _first_request(scope: Scope) -> datetime | None:
    return recorded_span(scope)[0]


def _counter(name: str, total: Result, earlier: Result | None) -> dict[str, Any]:
    measure = select(name).measure
    sums, before = total.summary.total, earlier.summary.total if earlier else None
    known = before is not None and earlier is not None and earlier.summary.total_requests
    value = sums[_PLACE[name]]
    _, words = formats.change(value, before[_PLACE[name]] if before and known else None)
    notes = []
    if name == "requests":
        failed = formats.exact(int(sums[_PLACE["failed_requests"]] or 0))
        notes = [f"{failed} failed ({formats.share(sums[_PLACE['failure_rate']])})"]
    elif name == "cost_usd" and total.meta.priced_share is not None:
        notes = [coverage_words(total.meta.priced_share, total.meta.unpriced_requests)]
    return {
        "label": measure.label,
        "text": _amount(total.summary, name, measure.unit),
        "exact": text(value, measure.unit),
        "change": words,
        "notes": notes,
    }


def _amount(one: Series, name: str, unit: Unit) -> str:
    value = one.total[_PLACE[name]]
    return at_least(text(value, unit), value, unit, one.total[_PLACE["unpriced_requests"]])


def _forecast(query: Query, total: Result, month: Month, now: datetime) -> str | None:
    """Where the cost ends when the rest of the month is as usual; None when too little is known."""
    cost = total.summary.total[_PLACE["cost_usd"]]
    if not month.current or not cost:
        return None
    last = local_date(month.whole.end - timedelta(seconds=1), zone(query.scope.zone))
    asked = replace(query, selections=(select("cost_usd"),))
    rest = remaining(asked, lambda row: int(row[0] or 0), last, now)
    if rest is None:
        return None
    words = formats.usd(int(cost) + sum(rest))
    return at_least(words, cost, Unit.USD, total.summary.total[_PLACE["unpriced_requests"]])


def _days(days: Result, scope: Scope) -> list[dict[str, Any]]:
    """Cost and requests of each day, with the height of its bar in hundredths of the largest."""
    costs = [drawn(row[_PLACE["cost_usd"]], Unit.USD) or 0 for row in days.summary.values]
    most, tz = max(costs, default=0), zone(scope.zone)
    return [
        {
            "date": local_date(bucket.start, tz),
            "cost": text(row[_PLACE["cost_usd"]], Unit.USD) if requests else formats.usd(0),
            "requests": formats.exact(requests),
            "failure_rate": text(row[_PLACE["failure_rate"]], Unit.SHARE),
            "latency": [text(value, Unit.MS) for value in row[len(_SUMS) :]],
            "height": round(100 * cost / most, 1) if most else 0,
            "x": 10 * place,
            "unfinished": bucket.partial,
        }
        for place, (bucket, row, cost, requests) in enumerate(
            zip(days.buckets, days.summary.values, costs, days.summary.requests, strict=True)
        )
    ]


def _table(dimension: Dimension, query: Query, whole: Series, month: Month, now: datetime) -> dict[str, Any]:
    grouped = replace(query, group_by=(dimension,), order_by=select("cost_usd"))
    found, earlier = _both(grouped, now)
    before = {one.labels: one for one in earlier.series} if earlier else {}
    cost = whole.total[_PLACE["cost_usd"]]
    rows = [
        {"url": _narrowed(dimension, one, query, month), **_row(one, before.get(one.labels), cost)}
        for one in found.series
    ]
    return {
        "name": dimension.name,
        "label": dimension.plural or dimension.label,
        "rows": rows,
        "metrics": _link(month, query.filters, by=dimension.name),
    }


def _row(one: Series, before: Series | None, cost: Value) -> dict[str, Any]:
    value = one.total[_PLACE["cost_usd"]]
    earlier: Value = None
    if before is not None:
        earlier = before.total[_PLACE["cost_usd"]] if before.total_requests else 0
    other = one.labels[0].kind is LabelKind.OTHER
    return {
        "label": "All others" if other else one.labels[0].text,
        "kind": one.labels[0].kind.value,
        "cost": _amount(one, "cost_usd", Unit.USD),
        "share": formats.share(int(value) / int(cost)) if value is not None and cost else formats.NO_VALUE,
        "requests": formats.exact(one.total_requests),
        "failure_rate": formats.share(one.total[_PLACE["failure_rate"]]),
        "change": None if other else formats.change(value, earlier)[1],
    }


def _narrowed(dimension: Dimension, one: Series, query: Query, month: Month) -> str | None:
    """The same page of this group alone."""
    own = filter_of(dimension.name, one.labels[0])
    if own is None:
        return None
    filters = [*(filter_text(each) for each in query.filters), own]
    return "?" + urlencode([("month", month.name), *(("f", each) for each in filters)])


def _fixed(name: str, query: Query) -> bool:
    """Whether a filter leaves one value, which needs no table."""
    return any(one.dimension.name == name and one.operator is Operator.EQ for one in query.filters)


def _subject(filters: tuple[Filter, ...]) -> dict[str, str] | None:
    """What the month is about, when a single filter says so."""
    if len(filters) != 1 or filters[0].operator is not Operator.EQ or filters[0].dimension.name not in ABOUT:
        return None
    (one,) = filters
    return {"kind": one.dimension.name, "label": one.dimension.label, "name": one.values[0]}


def _link(month: Month, filters: tuple[Filter, ...], **more: str) -> str:
    """The parameters of the dashboard for the same traffic."""
    borders = {"from": month.period.start.isoformat(), "to": month.period.end.isoformat()}
    return urlencode([*borders.items(), *more.items(), *(("f", filter_text(one)) for one in filters)])


def _with_range(params: QueryDict, month: Month) -> QueryDict:
    answer = QueryDict(mutable=True)
    answer.setlist("f", params.getlist("f"))
    answer["from"], answer["to"] = month.period.start.isoformat(), month.period.end.isoformat()
    return answer


def _words(period: TimeRange, scope: Scope) -> str:
    """1 to 27 October 2026."""
    tz = zone(scope.zone)
    first, last = local_date(period.start, tz), local_date(period.end - timedelta(microseconds=1), tz)
    return f"{first.day} to {last.day} {last:%B %Y}"
