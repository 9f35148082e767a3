"""Seeded authorization faults: each takes one guard away, as a careless change would. The matrix must see every one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from django.utils.safestring import mark_safe

from analytics.query.blocks import Memory
from analytics.query.values import Label
from teams import access
from teams.access import Scope
from teams.models import Organization, Team

_GET, _ADD = Memory.get, Memory.add


@dataclass(frozen=True)
class Fault:
    """What is broken, and an address and method of the matrix by which it must show."""

    number: str
    what: str
    broken: Callable[[], AbstractContextManager[Any]]
    shows: tuple[tuple[str, str], ...]


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


def _trusted(text: str, *more: Any) -> Label:
    """F15: a name that came with traffic is taken for HTML of ours."""
    return Label(mark_safe(text), *more)


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
    Fault(
        "F14",
        "text is written to CSV as it came",
        _replaced("metricsportal.lib.csv_stream.guarded", str),
        (("api/v1/report", "GET"), ("api/v1/requests", "GET")),
    ),
    Fault(
        "F15",
        "mark_safe on a model name",
        _replaced("analytics.query.labels.Label", _trusted),
        (("o/<slug:slug>/", "GET"), ("o/<slug:slug>/costs/", "GET")),
    ),
    Fault("F13", "remembered aggregates are known without whose they are", _one_memory, (("api/v1/report", "GET"),)),
)
