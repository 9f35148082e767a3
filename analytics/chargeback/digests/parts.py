"""What summaries are put together of: tables of the largest, budgets and where they stand, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from analytics.budgets import page
from analytics.catalog.dimensions import BY_NAME
from analytics.models import Budget
from analytics.query.engine import run, run_if_kept
from analytics.query.values import Filter, LabelKind, Operator, Query, Series, Value
from metricsportal.lib import formats
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization, Team

MEASURES: Final = ("cost_usd", "requests", "failed_requests", "input_tokens", "output_tokens", "unpriced_requests")
MOST_BUDGETS: Final = 10
LOOKED_AT: Final = 100
"""Budgets of an organization that are looked at for its summary: each is a question or two."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A table: by what, its heading, how many rows, and whether each says how it changed."""

    dimension: str
    title: str
    top: int
    changes: bool = False


OF_A_TEAM: Final = (Asked("model", "Models", 5), Asked("user", "Users", 5))
OF_ALL: Final = (Asked("team", "Teams", 10, changes=True), Asked("model", "Models", 10, changes=True))


def tabled(query: Query, asked: Asked, earlier: TimeRange, now: datetime) -> dict[str, Any]:
    """The largest of a dimension, and all others together."""
    query = replace(query, group_by=(BY_NAME[asked.dimension],), limit=asked.top)
    series = run(query, now).series
    before = _before(replace(query, period=earlier), series, now) if asked.changes else {}
    return {"title": asked.title, "changes": asked.changes, "rows": list(_rows(series, before))}


def _before(query: Query, series: Iterable[Series], now: datetime) -> Mapping[str, Value]:
    """What the same ones cost in the earlier period; of what is no single one nothing is known."""
    names = tuple(one.labels[0].text for one in series if one.labels[0].kind is LabelKind.VALUE)
    if not names:
        return {}
    own = Filter(query.group_by[0], Operator.IN, names)
    found = run_if_kept(replace(query, filters=(*query.filters, own), limit=len(names)), now)
    cost = MEASURES.index("cost_usd")
    if found is None:
        return {}
    return dict.fromkeys(names, 0) | {one.labels[0].text: one.total[cost] for one in found.series}


def _rows(series: Iterable[Series], before: Mapping[str, Value]) -> Iterable[dict[str, str]]:
    for one in series:
        values = dict(zip(MEASURES, one.total, strict=True))
        label = one.labels[0]
        known = before.get(label.text) if label.kind is LabelKind.VALUE else None
        yield {
            "name": "All others" if label.kind is LabelKind.OTHER else label.text,
            "requests": formats.exact(whole(values["requests"])),
            "cost": cost_words(values["cost_usd"], values["unpriced_requests"]),
            "change": formats.change(values["cost_usd"], known)[1] or "",
        }


def budgets_of(team: Team, now: datetime) -> list[dict[str, str]]:
    """Where the budgets of a team stand when its summary is made."""
    own = Budget.objects.filter(team=team).select_related("organization", "team", "user", "account")
    return [_budget(one, _standing(one, now)) for one in own[:MOST_BUDGETS]]


def budgets_that_stand_out(organization: Organization, now: datetime) -> list[dict[str, str]]:
    """Budgets of anybody that are used up, or nearly, or will be; the rest are not told of."""
    every = Budget.objects.filter(organization=organization).select_related("organization", "team", "user", "account")
    found = [(one, _standing(one, now)) for one in every.order_by("name", "pk")[:LOOKED_AT]]
    told = [_budget(one, row) for one, row in sorted(found, key=_first_the_worst) if _stands_out(row)]
    left = max(len(told) - MOST_BUDGETS, 0) + max(every.count() - LOOKED_AT, 0)
    rest = [{"name": "More budgets", "period": "not in this list", "words": f"{left:,}"}] if left else []
    return [*told[:MOST_BUDGETS], *rest]


def _first_the_worst(found: tuple[Budget, Mapping[str, Any]]) -> int:
    return ["over", "near"].index(found[1]["state"]) if _stands_out(found[1]) else 2


def _stands_out(row: Mapping[str, Any]) -> bool:
    return row.get("state") in ("over", "near")


def _standing(budget: Budget, now: datetime) -> dict[str, Any]:
    return page.row(budget, scope_of_organization(budget.organization), now)


def _budget(budget: Budget, row: Mapping[str, Any]) -> dict[str, str]:
    """A budget and where it stands, in words."""
    words = row["problem"] if "problem" in row else f"{row['used']} of {row['limit']} used, {row['share']}"
    return {"name": budget.name, "period": row["period"], "words": words}


def cost_words(value: Value, unpriced: Value) -> str:
    """As the dashboard says it: "at least" where something has no price, and no figure where nothing has one."""
    if unpriced and not value:
        return "no price"
    words = formats.usd(whole(value) or 0)
    return f"at least {words}" if unpriced else words


def whole(value: Value) -> int | None:
    """A sum as the whole number that it is."""
    return None if value is None else int(value)
