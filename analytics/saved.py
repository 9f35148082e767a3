"""Saved views: who sees and who changes them. What is in them is checked by whoever understands it."""

from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from analytics.models import SavedView
from teams import access
from teams.access import Reach, Scope
from teams.models import Organization, Team, User
from teams.services import audit

MOST_PER_PERSON: Final = 100
MOST_PER_TEAM: Final = 200
KINDS: Final = tuple(SavedView.Kind.values)


class ConflictError(Exception):
    """The name is taken by another view, or there are as many views as may be. Answered 409."""


def visible(scope: Scope, *, private: bool) -> QuerySet[SavedView]:
    """Views of the teams that the scope sees, and the person's own ones if `private`."""
    if scope.reach is Reach.NOTHING:
        return SavedView.objects.none()
    mine = Q(owner_id=scope.user_id, owner__isnull=False) if private else Q(pk__in=())
    views = SavedView.objects.filter(mine | Q(team__in=access.visible_teams(scope)))
    return views.filter(organization_id=scope.organization_id).select_related("team")


def page(views: QuerySet[SavedView], limit: int, after: tuple[str, int] | None) -> tuple[list[SavedView], bool]:
    """At most `limit` views by name, from behind a name and id on; whether there are more."""
    if after is not None:
        name, pk = after
        views = views.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))
    found = list(views.order_by("name", "pk")[: limit + 1])
    return found[:limit], len(found) > limit


def may_change(scope: Scope, view: SavedView) -> bool:
    """Whether the person of the scope may replace or delete a view that they see."""
    return view.owner_id == scope.user_id if view.team_id is None else access.manages(scope, view.team_id)


def save(
    *, scope: Scope, actor: User, team: Team | None, name: str, kind: str, content: dict[str, Any]
) -> tuple[SavedView, bool]:
    """A new view, and True; the one of that name when it is the same, and False. Raises ConflictError.

    The caller has checked that the actor may write there.
    """
    with transaction.atomic():
        others = _locked(scope, actor, team)
        existing = others.filter(name=name).first()
        if existing is not None:
            if (existing.kind, existing.content) != (kind, content):
                raise ConflictError("There is another view of that name; replace it, or choose another name.")
            return existing, False
        most = MOST_PER_PERSON if team is None else MOST_PER_TEAM
        if others.count() >= most:
            raise ConflictError(f"There are {most} views already; delete one first.")
        view = SavedView.objects.create(
            organization_id=scope.organization_id,
            owner=actor if team is None else None,
            team=team,
            name=name,
            kind=kind,
            content=content,
            created_by=actor,
        )
        _record(view, actor, "add")
        return view, True


def replace(*, scope: Scope, actor: User, view: SavedView, name: str, kind: str, content: dict[str, Any]) -> None:
    """Give the view another name and content; the same again changes nothing. Raises ConflictError."""
    with transaction.atomic():
        others = _locked(scope, actor, view.team)
        if others.filter(name=name).exclude(pk=view.pk).exists():
            raise ConflictError("There is another view of that name.")
        if (view.name, view.kind, view.content) != (name, kind, content):
            view.name, view.kind, view.content = name, kind, content
            view.save(update_fields=["name", "kind", "content", "updated_at"])
            _record(view, actor, "replace")


def delete(*, actor: User, view: SavedView) -> None:
    """Remove a view."""
    with transaction.atomic():
        _record(view, actor, "delete")
        view.delete()


def _locked(scope: Scope, actor: User, team: Team | None) -> QuerySet[SavedView]:
    """The views of the same owner, which nobody else changes meanwhile."""
    if team is None:
        User.objects.select_for_update().get(pk=actor.pk)
        return SavedView.objects.filter(organization_id=scope.organization_id, owner=actor)
    Team.objects.select_for_update().get(pk=team.pk)
    return SavedView.objects.filter(team=team)


def _record(view: SavedView, actor: User, verb: str) -> None:
    organization = Organization.objects.get(pk=view.organization_id)
    team = view.team.name if view.team else None
    audit.record(
        organization=organization, actor=actor, action=f"saved_view.{verb}", target=view, kind=view.kind, team=team
    )
