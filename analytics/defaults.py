"""Which saved view the dashboard opens with: the URL's, else a person's own choice, else the organization's."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.http import QueryDict

from analytics import saved
from analytics.dashboards.state import PARAMETERS
from analytics.models import DefaultView, SavedView
from teams import access
from teams.access import Reach, Scope
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit

VIEW: Final = "view"
NO_VIEW: Final = "none"
"""`view=none`: the page as its other parameters say. An address that a view was opened with has it, so that what is
removed from it stays removed."""
_STATE: Final = frozenset({*PARAMETERS, VIEW, "tz"})


@dataclass(frozen=True, slots=True)
class Opened:
    """The parameters to show, whether a view gave some of them, and what was wrong with the one asked for."""

    params: QueryDict
    by_view: bool = False
    messages: tuple[str, ...] = ()


class For(StrEnum):
    """Whom a default is for."""

    ME = "me"
    ORGANIZATION = "organization"


def may_set(scope: Scope, whom: For) -> bool:
    """Everybody chooses for themselves; for the organization, who manages its people."""
    return whom is For.ME or scope.allows(Capability.MANAGE_PEOPLE)


def choose(*, scope: Scope, actor: User, view: SavedView, whom: For) -> None:
    """Let the dashboard open with a view. The caller has checked that the actor sees it and may set this default."""
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=scope.organization_id)
        person = actor if whom is For.ME else None
        current = DefaultView.objects.filter(organization=organization, person=person).first()
        if current is not None and current.view_id == view.pk:
            return
        if current is None:
            DefaultView.objects.create(organization=organization, person=person, view=view)
        else:
            current.view = view
            current.save(update_fields=["view"])
        audit.record(organization=organization, actor=actor, action="saved_view.default", target=view, whom=whom.value)


def forget(*, scope: Scope, actor: User, view: SavedView, whom: For) -> None:
    """Let the dashboard not open with that view any more; nothing where it does not."""
    with transaction.atomic():
        person = actor if whom is For.ME else None
        found = DefaultView.objects.filter(organization_id=scope.organization_id, person=person, view=view)
        if found.delete()[0]:
            organization = Organization.objects.get(pk=scope.organization_id)
            audit.record(
                organization=organization, actor=actor, action="saved_view.no_default", target=view, whom=whom.value
            )


def chosen(scope: Scope, views: Iterable[SavedView]) -> dict[int, list[str]]:
    """For whom the views are the default, as the person of the scope sees it."""
    rows = DefaultView.objects.filter(organization_id=scope.organization_id, view__in=[one.pk for one in views])
    answer: dict[int, list[str]] = defaultdict(list)
    for view_id, person_id in rows.order_by("-person_id").values_list("view_id", "person_id"):
        if person_id is None:
            answer[view_id].append(For.ORGANIZATION.value)
        elif person_id == scope.user_id:
            answer[view_id].append(For.ME.value)
    return answer


def default_view(scope: Scope) -> SavedView | None:
    """The view that the dashboard opens with for the person of a scope; never one that they may not have."""
    if scope.reach is Reach.NOTHING:
        return None
    here = scope.organization_id
    # The view's organization too: no foreign key promises that both are of one.
    rows = DefaultView.objects.filter(organization_id=here, view__organization_id=here)
    rows = rows.select_related("view__owner", "view__team")
    own = rows.filter(person_id=scope.user_id, person__isnull=False).first()
    if own is not None and _is_seen(scope, own.view):
        return own.view
    common = rows.filter(person__isnull=True).first()
    return common.view if common is not None and (_is_seen(scope, common.view) or _is_given(common.view)) else None


def may_open_with_view(scope: Scope) -> bool:
    """Whether the page without parameters may be another one than the plain one."""
    whose = Q(person__isnull=True) | Q(person_id=scope.user_id)
    return DefaultView.objects.filter(whose, organization_id=scope.organization_id).exists()


def opened(params: QueryDict, scope: Scope) -> Opened:
    """The page that an address opens: with the view that it names, or with the default where it says nothing."""
    asked = params.get(VIEW)
    if asked == NO_VIEW or (asked is None and _STATE & params.keys()):
        return Opened(params)
    view = default_view(scope) if asked is None else _named(asked, scope)
    if view is not None:
        return Opened(_filled(params, view), by_view=True)
    # The same words for what does not exist and for what is somebody else's.
    words = () if asked is None else (f"There is no saved view {asked[:40]!r} for you. The page is shown without it.",)
    return Opened(params, messages=words)


def _named(asked: str, scope: Scope) -> SavedView | None:
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    views = saved.visible(scope, private=True).filter(kind=SavedView.Kind.DASHBOARD)
    return views.filter(pk=int(asked)).first()


def _filled(params: QueryDict, view: SavedView) -> QueryDict:
    """The view's state with the address's own parameters over it."""
    filled = QueryDict(mutable=True)
    for name in (one for one in PARAMETERS if one in view.content):  # databases keep no order
        value = view.content[name]
        filled.setlist(name, [value] if isinstance(value, str) else value)
    for name, values in params.lists():
        filled.setlist(name, values)
    filled[VIEW] = NO_VIEW
    return filled


def _is_seen(scope: Scope, view: SavedView) -> bool:
    return saved.visible(scope, private=True).filter(pk=view.pk, kind=SavedView.Kind.DASHBOARD).exists()


def _is_given(view: SavedView) -> bool:
    """A private view that its owner made everybody's, as long as the owner may decide that: its state, not its name."""
    if view.owner is None or view.kind != SavedView.Kind.DASHBOARD:
        return False
    owned = access.scope_of_user(view.owner, view.organization)
    return owned is not None and may_set(owned, For.ORGANIZATION)
