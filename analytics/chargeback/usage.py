"""What the teams of an organization used in a period: one question to the engine, amounts that add up."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.query.engine import run
from analytics.query.values import Label, LabelKind, Query, Series
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization, Team

SELECTIONS: Final = (
    select("requests"),
    select("failed_requests"),
    select("input_tokens"),
    select("output_tokens"),
    select("cost_usd"),
    select("unpriced_requests"),
    select("priced_requests"),
)


@dataclass(frozen=True, slots=True)
class Amounts:
    """The additive figures of a line, in the order of SELECTIONS; cost in picodollars. Corrections may be negative."""

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    unpriced_requests: int = 0
    priced_requests: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(mine - theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __bool__(self) -> bool:
        return any(astuple(self))


ByModel = dict[str, Amounts]
ByTeam = dict[int | None, ByModel]
"""Team id -> model -> amounts. None is the remainder without a team."""


class StaleError(Exception):
    """The answer would have come from aggregates older than their facts: roll up and ask again."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The answer, and the version of the price book it was given at."""

    teams: ByTeam
    price_book_version: int


def total(amounts: Iterable[Amounts]) -> Amounts:
    """Their sum."""
    return sum(amounts, Amounts())


def usage(organization: Organization, period: TimeRange, now: datetime) -> Usage:
    """By team and model, complete and exact. Raises StaleError while the rollup lags behind."""
    question = Query(
        scope=scope_of_organization(organization),
        period=period,
        selections=SELECTIONS,
        group_by=(BY_NAME["team"], BY_NAME["model"]),
        limit=None,
        other=False,
    )
    result = run(question, now)
    if result.meta.stale_hours:
        raise StaleError
    teams = _by_team(organization, result.series)
    stated = total(amounts for models in teams.values() for amounts in models.values())
    if stated != _amounts(result.summary):
        raise AssertionError("the teams of an organization do not add up to its total")
    return Usage(teams, result.meta.price_book_version)


def _by_team(organization: Organization, series: Iterable[Series]) -> ByTeam:
    ids = dict(Team.objects.filter(organization=organization).values_list("name", "pk"))
    answer: ByTeam = {}
    for one in series:
        team, model = one.labels
        models = answer.setdefault(_team_id(team, ids), {})
        # A model called like the label of "no model" shares its line: the text is all that a reader sees.
        models[model.text] = models.get(model.text, Amounts()) + _amounts(one)
    return answer


def _team_id(label: Label, ids: Mapping[str, int]) -> int | None:
    return None if label.kind is LabelKind.NONE else ids[label.text]


def _amounts(series: Series) -> Amounts:
    # No cost is known where nothing has a price; such requests are counted as unpriced and add nothing.
    return Amounts(*(int(value or 0) for value in series.total))
