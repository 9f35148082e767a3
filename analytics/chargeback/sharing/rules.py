"""Which rules hold in a month, and what they come to: sources with the weights of their targets, as they are frozen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.catalog.dimensions import UNASSIGNED
from analytics.chargeback.sharing.costs import Charged, Costs
from analytics.models import SharingRule
from teams.models import Organization, Team, VirtualAccount

Method = SharingRule.Method


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the cost of one source is split in one month. `account` None: what belongs to no team."""

    account: int | None
    source: str
    method: str
    weights: Mapping[int, int]
    """By team; the share of each is its weight over the sum of all."""

    def base(self, found: Costs, accounts: frozenset[int]) -> Charged:
        """What there is to split, by the team that is charged with it."""
        return found.without_team(accounts) if self.account is None else found.of_account(self.account)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with a closed month."""
        weights = [[team, weight] for team, weight in sorted(self.weights.items())]
        return {"account": self.account, "source": self.source, "method": self.method, "weights": weights}


def from_json(value: Mapping[str, Any]) -> Sharing:
    """What `to_json` wrote."""
    return Sharing(value["account"], value["source"], value["method"], dict(value["weights"]))


def accounts_of(every: Iterable[Sharing]) -> frozenset[int]:
    """The accounts that are sources themselves."""
    return frozenset(one.account for one in every if one.account is not None)


def in_force(organization: Organization, month: date) -> list[tuple[VirtualAccount | None, SharingRule]]:
    """The sources that are shared in a month, each with its rule: accounts by name, what belongs to no team last.

    The latest rule of a source counts. A rule of an account that became another one is that one's, unless it has one.
    """
    found = SharingRule.objects.filter(organization=organization, since__lte=month).order_by("since")
    latest = {rule.account_id: rule for rule in found.select_related("account")}
    sources: dict[int | None, tuple[VirtualAccount | None, SharingRule]] = {}
    for rule in sorted(latest.values(), key=lambda one: (_is_alias(one.account), one.pk)):
        account = rule.account
        if account is not None and account.merged_into_id is not None:
            account = VirtualAccount.objects.get(pk=account.merged_into_id)
        sources.setdefault(account.pk if account else None, (account, rule))
    active = [one for one in sources.values() if one[1].active]
    return sorted(active, key=lambda one: (one[0] is None, one[0].name if one[0] else ""))


def sharing_of(organization: Organization, month: date, found: Costs) -> list[Sharing]:
    """The rules that hold in a month with the weights that they come to."""
    rules = in_force(organization, month)
    accounts = frozenset(account.pk for account, _ in rules if account)
    made = (
        Sharing(account.pk if account else None, account.name if account else UNASSIGNED, rule.method, weights)
        for account, rule in rules
        if (weights := _weights(rule, found, accounts))
    )
    return list(made)


def _is_alias(account: VirtualAccount | None) -> bool:
    return account is not None and account.merged_into_id is not None


def _weights(rule: SharingRule, found: Costs, accounts: frozenset[int]) -> dict[int, int]:
    """None where there is no team to share between."""
    targets = list(rule.targets.select_related("team"))
    if rule.method == Method.FIXED:
        fixed: dict[int, int] = {}
        for one in targets:
            team = _left(one.team)
            fixed[team] = fixed.get(team, 0) + one.hundredths
        return fixed
    teams = {_left(one.team) for one in targets} if targets else _every(rule.organization_id, found)
    used = {team: found.own(team, accounts) for team in teams}
    return used if rule.method == Method.USAGE and any(used.values()) else dict.fromkeys(teams, 1)


def _left(team: Team) -> int:
    """A team, or the one that it became."""
    return team.merged_into_id or team.pk


def _every(organization_id: int, found: Costs) -> set[int]:
    """All teams: those that somebody claimed, and those that the month's traffic named."""
    known = Team.objects.filter(organization=organization_id, merged_into=None)
    claimed = set(known.filter(claimed=True).values_list("pk", flat=True))
    return claimed | {team for team, _ in found.cells if team is not None}
