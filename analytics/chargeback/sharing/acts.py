"""Adding, switching and deleting rules of sharing: one transaction and one audit entry each."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction

from analytics.chargeback.months import name_of
from analytics.chargeback.sharing.rules import Method
from analytics.models import SharingRule, SharingTarget
from metricsportal.lib.wording import one_line
from teams.models import Organization, Team, User, VirtualAccount
from teams.roles import Capability
from teams.services import audit, rules

WHOLE: Final = 10_000
"""Hundredths of a per cent that fixed shares add up to."""
MOST: Final = 500
"""Rules of one organization."""


class SharingError(Exception):
    """The rule cannot be; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new rule. `account`: its name, "" what belongs to no team. `teams` empty: all. `fixed`: hundredths of %."""

    account: str
    method: str
    since: date
    teams: tuple[int, ...] = ()
    fixed: tuple[tuple[int, int], ...] = ()

    @property
    def targets(self) -> dict[int, int]:
        """Teams with their hundredths, 0 where the rule is not fixed."""
        return dict(self.fixed) if self.method == Method.FIXED else dict.fromkeys(self.teams, 0)


def add(*, actor: User, organization: Organization, wanted: Wanted, now: datetime) -> SharingRule:
    """Keep a rule. Raises PermissionDenied, and SharingError, and then keeps nothing."""
    with audit.refusals(organization=organization, actor=actor, action="sharing.add", target=name_of(wanted.since)):
        rules.require(actor, organization, Capability.MANAGE_CHARGEBACK)
    with transaction.atomic():
        locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        account = _account(locked, wanted)
        teams = _teams(locked, wanted)
        _check(wanted, account, teams)
        _check_others(locked, wanted, account)
        made = SharingRule.objects.create(
            organization=locked,
            account=account,
            method=wanted.method,
            since=wanted.since,
            created_at=now,
            created_by=actor,
        )
        SharingTarget.objects.bulk_create(
            SharingTarget(rule=made, team=teams[key], hundredths=hundredths)
            for key, hundredths in wanted.targets.items()
        )
        _record(made, actor, "add")
    return made


def switch(*, actor: User, rule: SharingRule, active: bool) -> None:
    """Let a rule share, or end the sharing of its source from its month on."""
    with audit.refusals(organization=rule.organization, actor=actor, action="sharing.switch", target=rule):
        rules.require(actor, rule.organization, Capability.MANAGE_CHARGEBACK)
    with transaction.atomic():
        current = SharingRule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)
        if current.active != active:
            current.active = active
            current.save(update_fields=["active"])
            _record(current, actor, "switch")


def delete(*, actor: User, rule: SharingRule) -> None:
    """Remove a rule: the one before it of the same source counts again. Closed months stay as they are."""
    with audit.refusals(organization=rule.organization, actor=actor, action="sharing.delete", target=rule):
        rules.require(actor, rule.organization, Capability.MANAGE_CHARGEBACK)
    with transaction.atomic():
        _record(rule, actor, "delete")
        rule.delete()


def _account(organization: Organization, wanted: Wanted) -> VirtualAccount | None:
    if not wanted.account:
        return None
    known = VirtualAccount.objects.filter(organization=organization, merged_into=None)
    found = None if "\0" in wanted.account else known.select_related("team").filter(name=wanted.account).first()
    if found is None:
        raise SharingError(f"There is no virtual account “{one_line(wanted.account)[:100]}” in this organization.")
    return found


def _teams(organization: Organization, wanted: Wanted) -> dict[int, Team]:
    known = Team.objects.filter(organization=organization, merged_into=None)
    found = {team.pk: team for team in known.filter(pk__in=wanted.targets)}
    if len(found) < len(wanted.targets):
        raise SharingError("One of the teams is not a team of this organization.")
    return found


def _check(wanted: Wanted, account: VirtualAccount | None, teams: dict[int, Team]) -> None:
    if wanted.method not in Method:
        raise SharingError("Choose how the costs are split.")
    if wanted.method == Method.FIXED:
        _check_fixed(wanted)
    if account and account.team_id and set(teams) == {account.team_id}:
        raise SharingError(
            f"{account.name} belongs to {teams[account.team_id].name}, and that is the only team: nothing would be "
            "shared. Choose another team as well."
        )


def _check_fixed(wanted: Wanted) -> None:
    whole = sum(wanted.targets.values())
    if not whole:
        raise SharingError("Give at least one team a percentage.")
    if whole != WHOLE:
        raise SharingError(
            f"The percentages add up to {whole // 100}.{whole % 100:02} %. They must add up to 100.00 %."
        )


def _check_others(organization: Organization, wanted: Wanted, account: VirtualAccount | None) -> None:
    others = SharingRule.objects.filter(organization=organization)
    if others.filter(account=account, since=wanted.since).exists():
        source = account.name if account else "Unassigned"
        raise SharingError(f"There is a rule for {source} from {name_of(wanted.since)} on already: delete it first.")
    if others.count() >= MOST:
        raise SharingError(f"There are {MOST} rules already; delete some first.")


def _record(rule: SharingRule, actor: User, verb: str) -> None:
    audit.record(
        organization=rule.organization,
        actor=actor,
        action=f"sharing.{verb}",
        target=rule,
        active=rule.active,
        teams=[str(one) for one in rule.targets.select_related("team")],
    )
