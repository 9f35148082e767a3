"""Making, changing and deleting budgets: one transaction and one audit entry each, everything wrong told at once."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction

from analytics.budgets.content import CHANGEABLE, EVERY, FIXED, UNITS, Reader
from analytics.budgets.reading import may_receive, may_write
from analytics.budgets.subjects import KINDS
from analytics.budgets.webhooks.addresses import origin
from analytics.catalog.dimensions import METADATA_PREFIX
from analytics.models import Budget, BudgetAmount, ChangedSpend
from analytics.query.keys import find, visible_keys
from ingestion.models import GatewayUser, LLMModel, LLMRequest
from teams import access
from teams.access import Reach, Scope
from teams.models import Organization, Team, User, VirtualAccount
from teams.services import audit

MOST: Final = 500
"""Budgets of one organization."""


class ConflictError(Exception):
    """There is one of that name, or as many as may be. Answered 409."""


def create(*, scope: Scope, actor: User, sent: Mapping[str, object], now: datetime) -> Budget:
    """A new budget. Raises InvalidQueryError, ConflictError, and PermissionDenied where the person only reads."""
    with transaction.atomic():
        organization = _locked(scope)
        budget = prepared(scope=scope, sent=sent, now=now)
        if Budget.objects.filter(organization=organization).count() >= MOST:
            raise ConflictError(f"There are {MOST} budgets already; delete some first.")
        budget.created_by, budget.webhook_salt = actor, _salt(budget.webhook)
        budget.save()
        _keep_amount(budget, actor, now)
        _record(budget, actor, "add", **_plain({name: getattr(budget, name) for name in CHANGEABLE}))
    return budget


def prepared(*, scope: Scope, sent: Mapping[str, object], now: datetime) -> Budget:
    """The budget that would be made, not stored. Raises as `create` does."""
    reader = Reader(sent)
    reader.unit = reader.choice("unit", UNITS)
    team = _team(reader, scope)
    if not may_write(scope, team.pk if team else None):
        raise PermissionDenied
    organization = Organization.objects.get(pk=scope.organization_id)
    every, about = reader.choice("every", EVERY), _about(reader, scope)
    fields = reader.changeable()
    _check_recipients(reader, organization, team, fields["recipients"])
    reader.finish()
    _check_name(organization, fields["name"])
    return Budget(
        organization=organization, team=team, unit=reader.unit, every=every, created_at=now, **about, **fields
    )


def change(*, scope: Scope, actor: User, budget: Budget, sent: Mapping[str, object], now: datetime) -> Budget:
    """Other words, amount or people for the same budget; what is not sent stays.

    Another amount holds from now on, for the present period too; periods that are over keep theirs. Raises as `create`.
    """
    with transaction.atomic():
        organization = _locked(scope)
        current = Budget.objects.select_for_update(of=("self",), no_key=True).get(pk=budget.pk)
        before = {name: getattr(current, name) for name in CHANGEABLE}
        current = changed(scope=scope, budget=current, sent=sent)
        other = {name: getattr(current, name) for name in CHANGEABLE if getattr(current, name) != before[name]}
        if not other:
            return current
        if "webhook" in other:  # another listener does not learn the secret of the one before
            current.webhook_salt = _salt(current.webhook)
        current.save()
        if "amount" in other:
            _keep_amount(current, actor, now)
        ChangedSpend.objects.create(organization=organization, hour_start=now)
        _record(current, actor, "change", before=_plain({name: before[name] for name in other}), **_plain(other))
    return current


def changed(*, scope: Scope, budget: Budget, sent: Mapping[str, object]) -> Budget:
    """The budget as it would be, not stored. Raises as `create` does."""
    if not may_write(scope, budget.team_id):
        raise PermissionDenied
    reader = Reader({name: getattr(budget, name) for name in CHANGEABLE} | dict(sent), unit=budget.unit)
    for name in FIXED:
        if name in sent:
            reader.wrong(name, f"{name} says what the budget counts: it is fixed. Make another budget.", "fixed")
    fields = reader.changeable()
    _check_recipients(reader, budget.organization, budget.team, fields["recipients"])
    reader.finish()
    if fields["name"] != budget.name:
        _check_name(budget.organization, fields["name"])
    for name, value in fields.items():
        setattr(budget, name, value)
    return budget


def new_secret(*, scope: Scope, actor: User, budget: Budget) -> Budget:
    """Another secret for the webhook; the one before signs nothing any more. Raises PermissionDenied."""
    if not may_write(scope, budget.team_id):
        raise PermissionDenied
    with transaction.atomic():
        current = Budget.objects.select_for_update(of=("self",), no_key=True).get(pk=budget.pk)
        current.webhook_salt = _salt(current.webhook)
        current.save(update_fields=["webhook_salt"])
        _record(current, actor, "new_secret")
    return current


def delete(*, scope: Scope, actor: User, budget: Budget) -> None:
    """Remove a budget with what was told of it. Raises PermissionDenied."""
    if not may_write(scope, budget.team_id):
        raise PermissionDenied
    with transaction.atomic():
        _record(budget, actor, "delete", amount=str(budget.amount))
        budget.delete()


def _locked(scope: Scope) -> Organization:
    """Two who make a budget of the same name at once: the second one sees the first. Ingest goes on."""
    return Organization.objects.select_for_update(no_key=True).get(pk=scope.organization_id)


def _team(reader: Reader, scope: Scope) -> Team | None:
    name = reader.text("team", 256)
    team = access.visible_teams(scope).filter(name=name).first() if name else None
    if name and team is None:
        reader.wrong("team", "There is no team of that name that you may see.", "unknown_value")
        reader.finish()  # nothing more can be said without knowing whose budget it is
    return team


def _about(reader: Reader, scope: Scope) -> dict[str, Any]:
    """The columns that say what it counts."""
    name, value = reader.text("dimension", 300), reader.text("value", 256)
    if not name:
        if value:
            reader.wrong("dimension", "Say what the value is of: user, virtual_account, model or a key.", "required")
        return {}
    known = name in KINDS or (name.startswith(METADATA_PREFIX) and find(name, scope) is not None)
    if not known:
        keys = (METADATA_PREFIX + one.name for one in visible_keys(scope))
        reader.wrong("dimension", f"A budget cannot be about “{name[:80]}”.", "unknown_dimension", (*KINDS, *keys))
        return {}
    if not value:
        reader.wrong("value", "Name the one that the budget is about.", "required")
        return {}
    return {"dimension": name} | _referred(reader, scope, name, value)


def _referred(reader: Reader, scope: Scope, name: str, value: str) -> dict[str, Any]:
    own = {"organization_id": scope.organization_id, "name": value}
    found: object = True
    columns: dict[str, Any] = {"value": value}
    if name == "user":
        found = GatewayUser.objects.filter(**own).first()
        columns = {"user": found}
    elif name == "virtual_account":
        found = VirtualAccount.objects.filter(**own).first()
        columns = {"account": found}
    elif name == "model":
        found = LLMModel.objects.filter(**own).exists()
    if not found or not _may_name(scope, name, columns):
        words = f"No request named a {name.replace('_', ' ')} “{value[:80]}” yet: check how it is spelt."
        reader.wrong("value", words, "unknown_value")
    return columns


def _may_name(scope: Scope, name: str, columns: Mapping[str, Any]) -> bool:
    """Whether the person may learn that there is one: who sees teams alone knows what these used."""
    if scope.reach is Reach.ORGANIZATION or name.startswith(METADATA_PREFIX):
        return True
    of = {"user": "user", "virtual_account": "virtual_account", "model": "model__name"}[name]
    (one,) = columns.values()
    if getattr(one, "team_id", None) in scope.team_ids:
        return True
    return LLMRequest.objects.filter(
        organization_id=scope.organization_id, team__in=access.visible_teams(scope), **{of: one}
    ).exists()


def _check_recipients(reader: Reader, organization: Organization, team: Team | None, addresses: list[str]) -> None:
    if reader.problems:
        return
    for one in addresses:
        if not may_receive(organization, team, one):
            reader.wrong(
                "recipients", f"{one} may not see what the budget is about: choose people who do.", "not_allowed"
            )


def _check_name(organization: Organization, name: str) -> None:
    if Budget.objects.filter(organization=organization, name=name).exists():
        raise ConflictError(f"The organization has a budget named “{name}” already.")


def _salt(webhook: str) -> str:
    return secrets.token_hex(16) if webhook else ""


def _keep_amount(budget: Budget, actor: User, now: datetime) -> None:
    BudgetAmount.objects.create(budget=budget, amount=budget.amount, set_at=now, set_by=actor)
    ChangedSpend.objects.create(organization=budget.organization, hour_start=now)


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log: amounts as texts, of webhooks no path, which often is a key."""
    plain: dict[str, Callable[[Any], Any]] = {"amount": str, "webhook": origin}
    return {name: plain.get(name, _same)(value) for name, value in fields.items()}


def _same(value: Any) -> Any:  # noqa: ANN401 - any field of a budget
    return value


def _record(budget: Budget, actor: User, verb: str, **details: object) -> None:
    audit.record(
        organization=budget.organization,
        actor=actor,
        action=f"budget.{verb}",
        target=budget,
        team=budget.team.name if budget.team else None,
        **details,
    )
