"""Seeded authorization faults: each takes one guard away, as a careless change would. The matrix must see every one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from django.conf import settings
from django.db.models import QuerySet

from analytics.query.blocks import Memory
from teams import access
from teams.access import Scope
from teams.models import Organization, Team

_WHOLE: Final = QuerySet._filter_or_exclude_inplace  # type: ignore[attr-defined]
_ROOT: Final = str(settings.BASE_DIR)
_GET, _ADD = Memory.get, Memory.add


@dataclass(frozen=True)
class Fault:
    """What is broken, and an address and method of the matrix by which it must show."""

    number: str
    what: str
    broken: Callable[[], AbstractContextManager[Any]]
    shows: tuple[tuple[str, str], ...]


@contextmanager
def conditions(note: Callable[[str], None] = lambda site: None, *, without: str = "") -> Iterator[None]:
    """F11: one place in our code filters without the organization. `note` is told of every place that does."""

    def filtered(queryset: Any, negate: bool, args: Any, kwargs: dict[str, Any]) -> Any:
        named = [name for name in kwargs if "organization" in name]
        site = _site() if named else ""
        if site:
            note(site)
        if site and site == without:
            kwargs = {name: value for name, value in kwargs.items() if name not in named}
        return _WHOLE(queryset, negate, args, kwargs)

    with mock.patch.object(QuerySet, "_filter_or_exclude_inplace", filtered):
        yield


def _site() -> str:
    """The line of our code that asks, from the root of the project."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_ROOT) and "/.venv/" not in name and "/tests/" not in name:
            return f"{Path(name).relative_to(_ROOT)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment] # ends with None
    return ""


@contextmanager
def _one_memory() -> Iterator[None]:
    """F13: what is remembered is known by how much it is, not by whose rows it is."""

    def less(key: Any) -> Any:
        return key[0], len(key[1])

    with (
        mock.patch.object(Memory, "get", lambda memory, key: _GET(memory, less(key))),
        mock.patch.object(Memory, "add", lambda memory, key, block: _ADD(memory, less(key), block)),
    ):
        yield


def _anybody(self: Any, request: Any, view: Any) -> bool:
    """F12: signed in is enough, for all of the first organization where no scope was found."""
    if getattr(request, "scope", None) is None and request.user:
        request.scope = access.scope_of_organization(Organization.objects.order_by("pk")[0])
    return bool(request.user)


def _living(key: Any, needed: Any, now: Any) -> Scope | None:
    """A key is looked at no more: revoked, expired, made for something else."""
    return access.scope_of_user(key.owner, key.organization)


def _replaced(target: str, value: Any) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch(target, value)


LIST: Final = ("api/v1/requests", "GET")
FAULTS: Final = (
    Fault(
        "F12",
        "IsAuthenticated in place of HasScope",
        _replaced("teams.permissions.HasScope.has_permission", _anybody),
        (LIST,),
    ),
    Fault(
        "F12",
        "no view asks for its capability",
        _replaced("teams.access.Scope.allows", lambda scope, one: True),
        (
            ("o/<slug:slug>/settings/keys", "GET"),
            ("o/<slug:slug>/settings/audit", "GET"),
            ("o/<slug:slug>/ingestion/upload", "GET"),
        ),
    ),
    Fault(
        "F12",
        "a key may do what its owner may, whatever it was made for",
        _replaced("teams.access.scope_of_key", _living),
        (LIST,),
    ),
    Fault(
        "F12",
        "every team of the organization is one's own",
        _replaced(
            "teams.access.visible_teams", lambda scope: Team.objects.filter(organization_id=scope.organization_id)
        ),
        (("api/v1/annotations/<str:annotation_id>", "GET"), ("api/v1/saved-views", "GET")),
    ),
    Fault(
        "F12",
        "everybody manages every team",
        _replaced("teams.access.manages", lambda scope, team: True),
        (("api/v1/saved-views/<str:view_id>", "DELETE"),),
    ),
    Fault(
        "F12",
        "the administration lets in who belongs to any organization",
        _replaced("teams.admin.scoped._allowed", lambda request, capability: frozenset({1, 2, 3, 4})),
        (("admin/teams/membership/", "GET"),),
    ),
    Fault("F13", "remembered aggregates are known without whose they are", _one_memory, (("api/v1/report", "GET"),)),
)
