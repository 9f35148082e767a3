"""A virtual model before and after an instant: which models answered, how fast, how often not, at what cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import Selection, Unit, select
from analytics.dashboards.page import problem_of
from analytics.dashboards.panels import text
from analytics.dashboards.shifts import Shift, shifts
from analytics.query import engine
from analytics.query.labels import Labels
from analytics.query.parsing import filter_text
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, LabelKind, Operator, Query, RefusedQueryError, Result, Series, Value
from metricsportal.lib import formats
from metricsportal.lib.localtime import Interval, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope

SPANS: Final = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(days=1), "7d": timedelta(days=7)}
USUAL: Final = "24h"
LOOK_BACK: Final = timedelta(days=14)
MOST: Final = 100  # names to choose from
_COLUMNS: Final = (
    (select("requests"), "Requests", Unit.COUNT),
    (select("failure_rate"), "Failure rate", Unit.SHARE),
    (select("latency", "p50"), "Latency P50", Unit.MS),
    (select("latency", "p99"), "Latency P99", Unit.MS),
    (select("ttft", "p50"), "TTFT P50", Unit.MS),
    (select("cost_per_1000_usd"), "Cost / 1,000", Unit.USD),
)
_SELECTIONS: Final[tuple[Selection, ...]] = tuple(selection for selection, _, _ in _COLUMNS)
_LOCAL: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class _Sides:
    """The same length of time before and after an instant."""

    before: TimeRange
    after: TimeRange


def build(params: QueryDict, scope: Scope, now: datetime) -> dict[str, Any]:
    """Everything the page shows for a URL's parameters, to this viewer."""
    messages: list[str] = []
    span = params.get("span", USUAL)
    if span not in SPANS:
        messages.append(f"span={span[:20]} is none of {', '.join(SPANS)}; {USUAL} is used.")
        span = USUAL
    at = _instant(params.get("at", ""), scope, now, messages)
    head = {"messages": messages, "span": span, "spans": list(SPANS), "zone": scope.zone, "names": [], "name": ""}
    if scope.reach is Reach.NOTHING:
        return head
    try:
        with snapshot():
            return head | _body(params.get("name", ""), at, span, scope, now)
    except RefusedQueryError as error:
        return head | {"problem": problem_of(error)}


def _body(asked: str, at: datetime | None, span: str, scope: Scope, now: datetime) -> dict[str, Any]:
    recent = Query(scope, TimeRange(now - LOOK_BACK, now), (select("requests"),), other=False, limit=MOST)
    found = engine.run(replace(recent, group_by=(BY_NAME["virtual_model"],)), now)
    names = [one.labels[0].text for one in found.series if one.labels[0].kind is LabelKind.VALUE]
    name = asked or next(iter(names), "")
    if not name:
        return {}
    only = Filter(BY_NAME["virtual_model"], Operator.EQ, (name,))
    targets = replace(recent, filters=(only,), group_by=(BY_NAME["model"],), interval=Interval.HOUR)
    seen = _seen(engine.run(targets, now), scope, name)
    moment = at or (seen[0]["instant"] if seen else None)
    answer = {"names": list(dict.fromkeys((name, *names))), "name": name, "shifts": seen}
    if moment is None:
        return answer
    sides = _sides(moment, SPANS[span], now)
    query = Query(scope, sides.before, _SELECTIONS, (BY_NAME["model"],), (only,), limit=None, other=False)
    before, after = (engine.run(replace(query, period=one), now) for one in (sides.before, sides.after))
    return answer | {
        "at": moment.astimezone(zone(scope.zone)).strftime(_LOCAL),
        "moment": moment.astimezone(zone(scope.zone)),
        "hours": f"{sides.after.seconds / 3600:.3g}",
        "metrics": _metrics(sides, only),
        "columns": [label for _, label, _ in _COLUMNS],
        "total": _row(None, before.summary, after.summary, before, after),
        "rows": [_row(*pair, before, after) for pair in _pairs(before, after)],
    }


def _instant(asked: str, scope: Scope, now: datetime, messages: list[str]) -> datetime | None:
    """A local time of the reporting zone, or an instant with an offset; None and a message for anything else."""
    if not asked:
        return None
    try:
        found = datetime.fromisoformat(asked)
        found = found if found.tzinfo else found.replace(tzinfo=zone(scope.zone))
        if TimeRange(now - timedelta(days=3650), now).clip(TimeRange(found, found + timedelta(seconds=1))):
            return found
    except (ValueError, OverflowError):
        pass
    messages.append(f"at={asked[:40]} is not a time that has been, such as 2026-11-20T12:00.")
    return None


def _sides(moment: datetime, span: timedelta, now: datetime) -> _Sides:
    """As long on both sides as there is of the later one."""
    length = min(span, now - moment)
    return _Sides(TimeRange(moment - length, moment), TimeRange(moment, moment + length))


def _seen(hourly: Result, scope: Scope, name: str) -> list[dict[str, Any]]:
    """Changes of routing in the newest days, newest first."""
    requests = {one.labels[0].text: one.requests for one in hourly.series}
    return [_shown(one, hourly.buckets[one.place].start, scope, name) for one in shifts(requests)]


def _shown(one: Shift, instant: datetime, scope: Scope, name: str) -> dict[str, Any]:
    moved = sorted(one.after, key=lambda target: (-abs(one.after[target] - one.before[target]), target))[:2]
    local = instant.astimezone(zone(scope.zone))
    words = [f"{target} {formats.share(one.before[target])} to {formats.share(one.after[target])}" for target in moved]
    return {
        "instant": instant,
        "local": local,
        "words": ", ".join(words),
        "url": "?" + urlencode({"name": name, "at": local.strftime(_LOCAL)}),
    }


def _pairs(before: Result, after: Result) -> list[tuple[Labels, Series | None, Series | None]]:
    """The targets of both sides, those with the most requests after the change first."""
    earlier, later = ({one.labels: one for one in side.series if one.total_requests} for side in (before, after))
    order = sorted(
        {**later, **earlier},
        key=lambda labels: (-_requests(later.get(labels)), -_requests(earlier.get(labels)), labels[0].text),
    )
    return [(labels, earlier.get(labels), later.get(labels)) for labels in order]


def _requests(one: Series | None) -> int:
    return one.total_requests if one else 0


def _row(
    labels: Labels | None, before: Series | None, after: Series | None, earlier: Result, later: Result
) -> dict[str, Any]:
    shares = [
        _requests(one) / whole.summary.total_requests if whole.summary.total_requests else None
        for one, whole in ((before, earlier), (after, later))
    ]
    return {
        "label": labels[0].text if labels else "All targets",
        "share": _cell(shares, Unit.SHARE),
        "cells": [
            _cell([one.total[place] if one else None for one in (before, after)], unit)
            for place, (_, _, unit) in enumerate(_COLUMNS)
        ],
    }


def _cell(pair: Sequence[Value], unit: Unit) -> dict[str, str | None]:
    """Both values and the change; of shares in percentage points."""
    old, new = pair
    if unit is not Unit.SHARE:
        change = formats.change(new, old)[1]
    elif old is None or new is None:
        change = None
    else:
        points = round((new - old) * 100, 1)
        change = f"{points:+.1f} points" if points else "unchanged"
    return {"before": text(old, unit), "after": text(new, unit), "change": change}


def _metrics(sides: _Sides, only: Filter) -> str:
    """Parameters of the dashboard for both sides."""
    borders = {"from": sides.before.start.isoformat(), "to": sides.after.end.isoformat()}
    return urlencode({**borders, "by": "model", "f": filter_text(only)})
