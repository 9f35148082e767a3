"""Merging one name into another, and a worker's part: the requests of open months, some hours at a time.

From the commit of the merge on, traffic with the old name counts for the new one, and no request can be stored under
the old one any more (`ingestion.writer.references`): what is left to move only gets less.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from ingestion.models import GatewayUser, LLMRequest, Merge
from ingestion.provisioning.kinds import KINDS, TEAM, Kind
from ingestion.provisioning.preview import movable
from ingestion.repricing import closed, storage
from ingestion.watermarks import kept
from ingestion.writer import key_uses
from ingestion.writer.retries import with_retries
from metricsportal.lib import border
from teams import doorbell
from teams.models import ApiKey, Invitation, Named, Organization, ReportRecipient, TeamMembership, User, VirtualAccount
from teams.roles import Capability
from teams.services import audit, naming
from teams.services.rules import RuleBrokenError, require

AT_ONCE: Final = {"postgresql": timedelta(days=1), "sqlite": timedelta(hours=3)}
"""Of requests in one transaction. SQLite keeps every other writer waiting meanwhile."""
_HOUR: Final = timedelta(hours=1)
_TASK: Final = "ingestion.tasks.move_merged"


def check(organization: Organization, row: Named, into: Named) -> None:
    """Raise RuleBrokenError for what cannot be merged: nobody gains or loses a right by it."""
    if row.pk == into.pk:
        raise RuleBrokenError(f"{row.name} cannot be merged into itself.")
    naming.require_own(row)
    naming.require_own(into)
    if isinstance(row, TEAM.model) and (left := _kept_by(row)):
        raise RuleBrokenError(f"{row.name} still has {left}. Remove what it has first, or merge the other way round.")


def merge(
    *, actor: User | None, organization: Organization, kind: Kind, row: Named, into: Named, now: datetime
) -> Merge:
    """Let a name stand for another one from now on, and have its requests of open months moved.

    Raises PermissionDenied, and ValidationError for what cannot be merged.
    """
    action = naming.act(kind.model, "merge")
    with (
        audit.refusals(organization=organization, actor=actor, action=action, target=row.name, into=into.name),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        storage.lock(organization.pk)  # no part of an earlier merge is between reading and writing
        row, into = _held(organization, kind, row, into)
        check(organization, row, into)
        kind.rows(organization).filter(merged_into=row.pk).update(merged_into=into.pk)
        kind.rows(organization).filter(pk=row.pk).update(merged_into=into.pk, claimed=True)
        kind.rows(organization).filter(pk=into.pk, claimed=False).update(claimed=True)
        if kind is TEAM:
            _move_names(organization, row, into)
        begun = Merge.objects.create(organization=organization, kind=kind.name, name_id=row.pk, asked_at=now)
        audit.record(
            organization=organization,
            actor=actor,
            action=action,
            target=row.name,
            id=row.pk,
            into=into.name,
            kept=into.pk,
        )
        doorbell.ring_after_commit(_TASK, begun.pk)
    return begun


def carry_on(merge_id: int, *, clock: Callable[[], datetime], steps: int) -> int:
    """Move the requests of at most so many parts; how many were done. Less than `steps`: there is nothing left.

    Raises `ingestion.writer.retries.UnavailableError`.
    """
    owner = Merge.objects.filter(pk=merge_id).values_list("organization_id", flat=True).first()
    done = 0
    with border.within(*[] if owner is None else [owner]):
        while done < steps and with_retries(partial(_step, merge_id, clock())):
            done += 1
    return done


def unfinished() -> list[int]:
    """Merges whose requests have not all moved, oldest first."""
    return list(Merge.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


def _held(organization: Organization, kind: Kind, row: Named, into: Named) -> tuple[Any, Any]:
    """Both as they are now. Whoever stores requests under one of them has committed, and waits from now on."""
    rows = kind.rows(organization).select_for_update(of=("self",)).filter(pk__in=(row.pk, into.pk)).order_by("pk")
    found = {one.pk: one for one in rows}
    if {row.pk, into.pk} - found.keys():
        raise ValidationError(f"This {kind.noun} is not there any more.")
    return found[row.pk], found[into.pk]


def _kept_by(team: Named) -> str:
    """What of a team says who may see what, in words."""
    counts = {
        "members": TeamMembership.objects.filter(team=team.pk).count(),
        "open invitations": Invitation.objects.filter(team=team.pk, accepted_at=None, revoked_at=None).count(),
        "keys": ApiKey.objects.filter(team=team.pk, revoked_at=None).count(),
        "addresses for its statement": ReportRecipient.objects.filter(team=team.pk).count(),
    }
    return " and ".join(words for words, count in counts.items() if count)


def _move_names(organization: Organization, row: Named, into: Named) -> None:
    """Callers and accounts of the team belong to the other one."""
    for model in (VirtualAccount, GatewayUser):
        model._default_manager.filter(organization=organization, team=row.pk).update(team=into.pk)


def _step(merge_id: int, now: datetime) -> bool:
    """The next hours: facts, changed hours and the place that was reached, together or not at all."""
    with transaction.atomic():
        begun = Merge.objects.filter(pk=merge_id, finished_at=None).first()
        if begun is None:
            return False
        storage.lock(begun.organization_id)
        begun = Merge.objects.select_related("organization").get(pk=merge_id)
        closed.hold_open()
        start = _next_hour(begun) if begun.finished_at is None else None
        if start is not None:
            _move(begun, start, start + AT_ONCE[connection.vendor], now)
        elif begun.finished_at is None:
            _finish(begun, now)
        return start is not None


def _next_hour(begun: Merge) -> datetime | None:
    """The first hour from the place on that has requests at all."""
    floor = max(kept(begun.organization_id).requests, begun.reached or kept(begun.organization_id).requests)
    hours = LLMRequest.objects.filter(organization=begun.organization_id, hour_start__gte=floor)
    first: datetime | None = hours.order_by("hour_start").values_list("hour_start", flat=True).first()
    return first


def _move(begun: Merge, start: datetime, end: datetime, now: datetime) -> None:
    kind = KINDS[begun.kind]
    into = kind.rows(begun.organization).values_list("merged_into", flat=True).get(pk=begun.name_id)
    months = closed.closed_months(begun.organization_id)
    near = [month for month in months if month[1].end > start - _HOUR and month[1].start < end + _HOUR]
    facts = movable(begun.organization, kind, begun.name_id, near)
    facts = facts.filter(hour_start__gte=start, hour_start__lt=end)
    hours = {*facts.order_by().values_list("hour_start", flat=True).distinct()}
    if hours:
        begun.moved += facts.update(**{kind.column: into})
        storage.log_hours(begun.organization_id, hours, now)
        key_uses.inherit(kind.column, begun.name_id, into)
    begun.reached = end
    begun.save(update_fields=["moved", "reached"])


def _finish(begun: Merge, now: datetime) -> None:
    kind = KINDS[begun.kind]
    begun.finished_at = now
    begun.save(update_fields=["finished_at"])
    row = kind.rows(begun.organization).select_related("merged_into").get(pk=begun.name_id)
    audit.record(
        organization=begun.organization,
        actor=None,
        action=naming.act(kind.model, "merged"),
        target=row.name,
        into=row.merged_into.name,
        requests=begun.moved,
    )
