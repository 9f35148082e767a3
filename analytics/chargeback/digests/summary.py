"""What a summary says: questions to the engine that answers the dashboard, written down as words once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from analytics.budgets import page
from analytics.budgets.periods import Span, span_before
from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.chargeback.digests.due import EVERY
from analytics.models import Budget
from analytics.query.engine import run, run_if_kept
from analytics.query.parsing import filter_text
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, LabelKind, Operator, Query, Result, Series, Value
from metricsportal.lib import formats
from metricsportal.lib.money import usd_text
from teams.access import scope_of_organization
from teams.models import Team

MEASURES: Final = ("cost_usd", "requests", "failed_requests", "input_tokens", "output_tokens", "unpriced_requests")
TOP: Final = 5
MOST_BUDGETS: Final = 10
_TABLES: Final = (("model", "Models"), ("user", "Users"))


def summary(team: Team, kind: str, span: Span, now: datetime) -> dict[str, Any]:
    """The document of a summary, all as of one instant. Raises RefusedQueryError where no complete answer exists."""
    organization = team.organization
    condition = Filter(BY_NAME["team"], Operator.EQ, (team.name,))
    selections = tuple(select(name) for name in MEASURES)
    query = Query(scope_of_organization(organization), span.range, selections, filters=(condition,))
    with snapshot():
        found = run(query, now)
        earlier = span_before(span, organization.zone)
        before = run_if_kept(replace(query, period=earlier.range), now)
        tables = [_table(replace(query, group_by=(BY_NAME[name],), limit=TOP), title, now) for name, title in _TABLES]
        own = Budget.objects.filter(team=team).select_related("organization", "team", "user", "account")
        budgets = [_budget(one, now) for one in own[:MOST_BUDGETS]]
    values = dict(zip(MEASURES, found.summary.total, strict=True))
    cost = _cost(values["cost_usd"], values["unpriced_requests"])
    borders = {"from": span.range.start.isoformat(), "to": span.range.end.isoformat(), "f": filter_text(condition)}
    return {
        "kind": kind,
        "subject": f"{team.name}: LLM usage {_when(span)}, {cost}",
        "organization": organization.name,
        "team": team.name,
        "zone": organization.zone,
        "starts_on": span.first.isoformat(),
        "period": span.words if kind == "weekly" else f"{span.first:%A}, {span.words}",
        "before": f"the {EVERY[kind]} before",
        "cost": cost,
        "cost_usd": usd_text(_whole(values["cost_usd"])),
        "figures": _figures(values, before),
        "unpriced": _unpriced(int(values["unpriced_requests"] or 0)),
        "tables": [one for one in tables if one["rows"]],
        "budgets": budgets,
        "path": f"{reverse('dashboard', args=[organization.slug])}?{urlencode(borders)}",
    }


def _when(span: Span) -> str:
    return f"from {span.words}" if span.every == "week" else f"on {span.words}"


def _figures(values: dict[str, Value], before: Result | None) -> list[dict[str, str]]:
    """Label, value, and how it changed where both are known."""
    had = before.summary if before is not None and before.summary.total_requests else None
    earlier = dict(zip(MEASURES, had.total, strict=True)) if had else {}
    names = {
        "cost_usd": "Cost",
        "requests": "Requests",
        "input_tokens": "Input tokens",
        "output_tokens": "Output tokens",
    }
    figures = []
    for name, label in names.items():
        words = formats.exact(_whole(values[name]))
        if name == "cost_usd":
            words = _cost(values[name], values["unpriced_requests"])
        elif name == "requests" and values["failed_requests"]:
            words += f", of which {formats.exact(_whole(values['failed_requests']))} failed"
        change = formats.change(values[name], earlier.get(name))[1]
        figures.append({"label": label, "text": words, "change": change or ""})
    return figures


def _table(query: Query, title: str, now: datetime) -> dict[str, Any]:
    return {"title": title, "rows": list(_rows(run(query, now).series))}


def _rows(series: Iterable[Series]) -> Iterable[dict[str, str]]:
    for one in series:
        values = dict(zip(MEASURES, one.total, strict=True))
        label = one.labels[0]
        yield {
            "name": "All others" if label.kind is LabelKind.OTHER else label.text,
            "requests": formats.exact(_whole(values["requests"])),
            "cost": _cost(values["cost_usd"], values["unpriced_requests"]),
        }


def _budget(budget: Budget, now: datetime) -> dict[str, str]:
    """Where a budget of the team stands when the summary is made."""
    row = page.row(budget, scope_of_organization(budget.organization), now)
    if "problem" in row:
        return {"name": budget.name, "period": row["period"], "words": row["problem"]}
    words = f"{row['used']} of {row['limit']} used, {row['share']}"
    return {"name": budget.name, "period": row["period"], "words": words}


def _cost(value: Value, unpriced: Value) -> str:
    """As the dashboard says it: "at least" where something has no price, and no figure where nothing has one."""
    if unpriced and not value:
        return "no price"
    words = formats.usd(_whole(value) or 0)
    return f"at least {words}" if unpriced else words


def _whole(value: Value) -> int | None:
    return None if value is None else int(value)


def _unpriced(many: int) -> str:
    if not many:
        return ""
    if many == 1:
        return "1 request has no price and adds nothing to the cost."
    return f"{many:,} requests have no price and add nothing to the cost."
