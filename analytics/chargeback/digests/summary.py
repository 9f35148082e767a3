"""What a summary says: questions to the engine that answers the dashboard, written down as words once."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from analytics.budgets.periods import Span, span_before
from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.chargeback.digests.due import EVERY
from analytics.chargeback.digests.parts import (
    MEASURES,
    OF_A_TEAM,
    OF_ALL,
    budgets_of,
    budgets_that_stand_out,
    cost_words,
    tabled,
    whole,
)
from analytics.query.engine import run, run_if_kept
from analytics.query.parsing import filter_text
from analytics.query.snapshot import snapshot
from analytics.query.values import Filter, Operator, Query, Result, Value
from metricsportal.lib import formats
from metricsportal.lib.money import usd_text
from teams.access import scope_of_organization
from teams.models import Organization, Team


def summary(about: Team | Organization, kind: str, span: Span, now: datetime) -> dict[str, Any]:
    """The document of a summary of a team, or of the whole organization, all as of one instant.

    Raises RefusedQueryError where no complete answer exists.
    """
    team = about if isinstance(about, Team) else None
    organization = about.organization if isinstance(about, Team) else about
    conditions = (Filter(BY_NAME["team"], Operator.EQ, (team.name,)),) if team else ()
    selections = tuple(select(name) for name in MEASURES)
    query = Query(scope_of_organization(organization), span.range, selections, filters=conditions)
    earlier = span_before(span, organization.zone).range
    with snapshot():
        found = run(query, now)
        before = run_if_kept(replace(query, period=earlier), now)
        tables = [tabled(query, one, earlier, now) for one in (OF_A_TEAM if team else OF_ALL)]
        budgets = budgets_of(team, now) if team else budgets_that_stand_out(organization, now)
    values = dict(zip(MEASURES, found.summary.total, strict=True))
    cost = cost_words(values["cost_usd"], values["unpriced_requests"])
    borders = [("from", span.range.start.isoformat()), ("to", span.range.end.isoformat())]
    borders += [("f", filter_text(one)) for one in conditions]
    return {
        "kind": kind,
        "subject": f"{about.name}: LLM usage {_when(span)}, {cost}",
        "organization": organization.name,
        "team": team.name if team else "All teams",
        "zone": organization.zone,
        "starts_on": span.first.isoformat(),
        "period": span.words if kind == "weekly" else f"{span.first:%A}, {span.words}",
        "before": f"the {EVERY[kind]} before",
        "cost": cost,
        "cost_usd": usd_text(whole(values["cost_usd"])),
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
        words = formats.exact(whole(values[name]))
        if name == "cost_usd":
            words = cost_words(values[name], values["unpriced_requests"])
        elif name == "requests" and values["failed_requests"]:
            words += f", of which {formats.exact(whole(values['failed_requests']))} failed"
        change = formats.change(values[name], earlier.get(name))[1]
        figures.append({"label": label, "text": words, "change": change or ""})
    return figures


def _unpriced(many: int) -> str:
    if not many:
        return ""
    if many == 1:
        return "1 request has no price and adds nothing to the cost."
    return f"{many:,} requests have no price and add nothing to the cost."
