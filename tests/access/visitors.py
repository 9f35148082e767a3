"""Everybody who asks, by the name that the table has for them, and what none of them may ever be shown."""

from typing import Any, Final

from django.test import Client

from teams.models import Organization, User
from tests.access.asking import Answer, Door
from tests.access.neighbour import THIRD
from tests.access.world import OTHER, OURS, PRIVATE, RIVAL, World

_ALL: Final = frozenset({RIVAL, OTHER, OURS, PRIVATE, THIRD})
# Who operates the installation, and who administers acme and owns the third organization.
_ADMINISTRATION: Final = {"superuser": frozenset({PRIVATE}), "admin": _ALL - {OURS, OTHER, THIRD}}
_OWN_TEAM: Final = frozenset({"manager", "viewer", "team_key"})
_WHOLE: Final = frozenset({"owner", "admin", "finance", "read_key"})


class Visitors:
    """The world with a door, and who stands before it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.door = Door()
        self.strict = Door(enforce_csrf_checks=True)
        self.credentials: dict[str, dict[str, Any]] = {"anonymous": {}}
        for name, person in world.people.items():
            client = Client()
            client.force_login(person)
            self.credentials[name] = {"cookie": client.cookies["sessionid"].value}
        User.objects.filter(pk=world.people["disabled"].pk).update(is_active=False)
        for name, key in world.keys.items():
            self.credentials[name] = {"key": key.text}

    def ask(self, actor: str, method: str, path: str, **sent: Any) -> Answer:
        """What the actor gets."""
        return self.door.ask(method, path, **sent, **self.credentials[actor])


def forbidden(actor: str, path: str) -> frozenset[str]:
    """The marks that may be in nothing that the actor gets."""
    if path.startswith("/admin/") and actor in _ADMINISTRATION:
        return _ADMINISTRATION[actor]
    if actor in ("outsider", "rival_key"):
        return _ALL - {RIVAL}
    if actor in _WHOLE:
        return _ALL - {OURS, OTHER}
    if actor in _OWN_TEAM:
        return _ALL - {OURS}
    if actor == "other_team":
        return _ALL - {OURS, OTHER}  # the name of the organization is for everybody in it
    return _ALL - {OURS} if actor in ("member", "demoted_key") else _ALL


def leaks(actor: str, path: str, said: str) -> list[str]:
    """The marks that got out, in whatever case."""
    text = said.lower()
    return [mark for mark in sorted(forbidden(actor, path)) if mark.lower() in text]


def rows_of(organization: Organization) -> list[Any]:
    """Everything of an organization that acts of people change."""
    kinds = ("memberships", "teams", "api_keys", "invitations", "virtual_accounts", "annotations", "saved_views")
    return [list(getattr(organization, kind).order_by("pk").values()) for kind in kinds]
