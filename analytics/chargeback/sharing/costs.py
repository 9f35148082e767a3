"""What a month's sources and teams cost: one question to the engine, by team and virtual account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.chargeback.usage import StaleError
from analytics.query.engine import run
from analytics.query.values import Label, LabelKind, Query
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization, Team, VirtualAccount

Charged = dict[int | None, int]
"""Picodollars by the team that is charged; None is the remainder without a team."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one period, by team and virtual account. A request is in one cell only, so that no cost is shared twice."""

    cells: Mapping[tuple[int | None, int | None], int]

    def of_account(self, account: int) -> Charged:
        """What an account cost, whichever teams its requests name."""
        return {team: cost for (team, one), cost in self.cells.items() if one == account}

    def without_team(self, accounts: frozenset[int]) -> Charged:
        """What belongs to no team, without accounts that have a rule of their own."""
        return {None: sum(cost for (team, one), cost in self.cells.items() if team is None and one not in accounts)}

    def own(self, team: int, accounts: frozenset[int]) -> int:
        """What a team cost by itself, without accounts that are shared."""
        return sum(cost for (one, account), cost in self.cells.items() if one == team and account not in accounts)


def costs(organization: Organization, period: TimeRange, now: datetime) -> Costs:
    """Complete and exact. Raises StaleError while the rollup lags behind."""
    question = Query(
        scope=scope_of_organization(organization),
        period=period,
        selections=(select("cost_usd"),),
        group_by=(BY_NAME["team"], BY_NAME["virtual_account"]),
        limit=None,
        other=False,
    )
    result = run(question, now)
    if result.meta.stale_hours:
        raise StaleError
    teams, accounts = _ids(organization, Team), _ids(organization, VirtualAccount)
    cells: dict[tuple[int | None, int | None], int] = {}
    for one in result.series:
        team, account = one.labels
        key = _id(team, teams), _id(account, accounts)
        cells[key] = cells.get(key, 0) + int(one.total[0] or 0)
    return Costs(cells)


def _ids(organization: Organization, model: type[Team] | type[VirtualAccount]) -> dict[str, int]:
    return dict(model._default_manager.filter(organization=organization).values_list("name", "pk"))


def _id(label: Label, ids: Mapping[str, int]) -> int | None:
    return None if label.kind is LabelKind.NONE else ids[label.text]
