"""Writing and deleting annotations: one transaction and one audit entry each."""

from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import transaction

from analytics.annotations.content import Note
from analytics.annotations.reading import may_write
from analytics.models import Annotation
from analytics.query.values import InvalidQueryError, Problem
from teams import access, services
from teams.access import Scope
from teams.models import ApiKey, Organization, Team, User
from teams.services import audit

MOST: Final = 10_000
"""Annotations of one organization."""


class ConflictError(Exception):
    """The sender's id belongs to another note, or there are as many as may be. Answered 409."""


def team_for_person(scope: Scope, name: str | None) -> Team | None:
    """The team that the person of a scope writes for; None for the whole organization.

    Raises InvalidQueryError for a team that they do not see, PermissionDenied where they only read.
    """
    team = None if name is None else access.visible_teams(scope).filter(name=name, merged_into=None).first()
    if team is None and name is not None:
        raise _no_team("There is no team of that name that you may see.")
    if not may_write(scope, None if team is None else team.pk):
        raise PermissionDenied
    return team


def team_for_key(key: ApiKey, name: str | None) -> Team | None:
    """The team that a key sends for: its own if it has one, else the named one. Raises InvalidQueryError."""
    if key.team is not None:
        if name not in (None, key.team.name):
            raise _no_team("This key sends for its own team alone.")
        return key.team
    team = None if name is None else services.find(Team, key.organization, name)
    if team is None and name is not None:
        raise _no_team("There is no team of that name.")
    return team


def _no_team(message: str) -> InvalidQueryError:
    return InvalidQueryError([Problem(("team",), "unknown_value", message)])


def add(
    *, organization_id: int, actor: User, key: ApiKey | None, team: Team | None, note: Note
) -> tuple[Annotation, bool]:
    """A new note, and True; the one of that `external_id` when it says the same, and False. Raises ConflictError.

    The caller has checked that the actor, or the key that the actor owns, may write there.
    """
    with transaction.atomic():
        # Two who send the same event at once: the second one sees the first. Ingest, which refers to the row, goes on.
        organization = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
        existing = _sent_before(organization, note)
        if existing is not None:
            if _differs(existing, team, note):
                raise ConflictError("external_id belongs to another annotation of the organization.")
            return existing, False
        if Annotation.objects.filter(organization=organization).count() >= MOST:
            raise ConflictError(f"There are {MOST} annotations already; delete some first.")
        made = Annotation.objects.create(
            organization=organization,
            team=team,
            kind=note.kind,
            at=note.at,
            end=note.end,
            text=note.text,
            link=note.link,
            external_id=note.external_id,
            created_by=None if key else actor,
            key=key,
        )
        _record(made, actor, key, "add")
        return made, True


def delete(*, actor: User, key: ApiKey | None, note: Annotation) -> None:
    """Remove a note."""
    with transaction.atomic():
        _record(note, actor, key, "delete")
        note.delete()


def _sent_before(organization: Organization, note: Note) -> Annotation | None:
    if note.external_id is None:
        return None
    found = Annotation.objects.filter(organization=organization, external_id=note.external_id)
    return found.select_related("team", "created_by", "key").first()


def _differs(existing: Annotation, team: Team | None, note: Note) -> bool:
    """An instant told as of now is another one with every try: it tells no two events apart."""
    names = ("kind", "text", "link", *(name for name in ("at", "end") if name not in note.moving))
    told = any(getattr(existing, name) != getattr(note, name) for name in names)
    return told or existing.team_id != (None if team is None else team.pk)


def _record(note: Annotation, actor: User, key: ApiKey | None, verb: str) -> None:
    audit.record(
        organization=note.organization,
        actor=actor,
        action=f"annotation.{verb}",
        target=note,
        kind=note.kind,
        at=note.at.isoformat(),
        team=note.team.name if note.team else None,
        key=str(key) if key else None,
    )
