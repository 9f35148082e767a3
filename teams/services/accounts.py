"""Virtual accounts before their first request, and to which team callers and accounts belong from now on."""

from collections.abc import Collection
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from teams.models import Named, Organization, Team, User, VirtualAccount
from teams.roles import Capability
from teams.services import audit, naming
from teams.services.rules import RuleBrokenError, require

MOST_AT_ONCE: Final = 1_000


def register_account(
    *, actor: User | None, organization: Organization, name: str, team: Team | None = None
) -> VirtualAccount:
    """An account that the gateway will send; its team owns its requests. Raises PermissionDenied, ValidationError."""
    account = VirtualAccount(organization=organization, name=name.strip())
    with (
        audit.refusals(organization=organization, actor=actor, action="virtual_account.register", target=account),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        naming.check(account)
        account.team = _held(organization, team)
        account.save()
        words = {"team": account.team.name} if account.team else {}
        audit.record(organization=organization, actor=actor, action="virtual_account.register", target=account, **words)
    return account


def move(
    *, actor: User | None, organization: Organization, model: type[Named], ids: Collection[int], team: Team | None
) -> int:
    """Give callers or accounts another team, None for none; how many were somewhere else before.

    Later requests that name no team themselves are that team's; stored ones stay where they are. All or nothing:
    raises PermissionDenied, and ValidationError for what does not belong to the organization.
    """
    action = naming.act(model, "move")
    target = f"{len(ids)} {model.NOUN}{'' if len(ids) == 1 else 's'}"
    with (
        audit.refusals(organization=organization, actor=actor, action=action, target=target),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        if not ids:
            raise ValidationError(f"Choose at least one {model.NOUN}.")
        if len(ids) > MOST_AT_ONCE:
            raise ValidationError(f"At most {MOST_AT_ONCE:,} at once.")
        kept = _held(organization, team)
        changed = [row for row in _rows(organization, model, ids) if row.team_id != (kept.pk if kept else None)]
        for row in changed:
            _move(actor, organization, row, kept, action)
    return len(changed)


def _move(actor: User | None, organization: Organization, row: VirtualAccount, team: Team | None, action: str) -> None:
    before = row.team
    row.team, row.claimed = team, True
    row.save(update_fields=["team", "claimed"])
    audit.record(
        organization=organization,
        actor=actor,
        action=action,
        target=row,
        id=row.pk,
        team=team.name if team else None,
        before=before.name if before else None,
    )


def _rows(organization: Organization, model: type[Named], ids: Collection[int]) -> list[VirtualAccount]:
    """Rows of the organization, held in the order of their ids; callers are treated like accounts.

    What is foreign or absent reads the same.
    """
    every: QuerySet[Any] = model._default_manager.all()
    found = every.filter(organization=organization, pk__in=ids, merged_into=None).exclude(name="(other)")
    rows = list(found.select_for_update(of=("self",), no_key=True).select_related("team").order_by("pk"))
    if len(rows) != len(set(ids)):
        raise ValidationError(f"At least one {model.NOUN} is not there any more. Nothing was moved.")
    return rows


def _held(organization: Organization, team: Team | None) -> Team | None:
    """The team as it is now, held: it may not be merged into another one meanwhile."""
    if team is None:
        return None
    current = Team.objects.select_for_update(of=("self",), no_key=True).filter(pk=team.pk).first()
    if current is None or current.organization_id != organization.pk:
        raise RuleBrokenError("Choose a team of this organization.")
    if current.merged_into_id is not None:
        raise RuleBrokenError(f"{current.name} was merged into {current.merged_into}. Choose that one.")
    return current
