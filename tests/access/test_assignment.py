"""Nobody gives themselves more: fields of every form, tokens of every unsafe address, keys of who was demoted (A4)."""

import importlib
import json
import pkgutil
from typing import Any, Final

import pytest
from django import forms
from django.contrib import admin
from django.test import RequestFactory

import ingestion.views
import teams.views
from teams.models import ApiKey, Membership, TeamMembership, User
from tests import make
from tests.access import places
from tests.access.asking import NOTED, SAFE, document
from tests.access.rules import expectations
from tests.access.visitors import Visitors, rows_of
from tests.access.world import RIVAL

pytestmark = pytest.mark.django_db
RIGHTS: Final = frozenset(
    {
        "organization",
        "is_staff",
        "is_superuser",
        "is_active",
        "user_permissions",
        "groups",
        "password",
        "digest",
        "prefix",
    }
    | {
        "created_by",
        "requested_by",
        "by",
        "actor",
        "owner",
        "role",
        "scopes",
        "invited_by",
        "revoked_at",
        "last_used_at",
    }
)
# Forms that take such a field, for whom it is no secret: the act behind each asks for the right itself.
TAKEN: Final[dict[str, set[str]]] = {
    "InviteForm": {"role"},
    "TeamMemberForm": {"role"},
    "KeyForm": {"scopes"},
    "SignInForm": {"password"},
    "AppForm": {"password"},
    "ConfirmForm": {"password"},
    "PasskeyForm": {"password"},
}
_WITH_ORGANIZATION: Final = ("costpolicy", "modelalias", "priceadjustment", "priceentry", "repricerun", "exchangerate")
# In the administration for an owner of one organization, who is offered that one alone.
ADDED: Final[dict[str, set[str]]] = {
    **{name: {"organization"} for name in (*_WITH_ORGANIZATION, "attributerule", "team", "virtualaccount")},
    "apikey": {"organization", "owner", "scopes"},
}


def plain_forms() -> list[type[forms.BaseForm]]:
    """Every form of ours outside the administration."""
    found = {}
    for package in (teams.views, ingestion.views):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    waiting: list[type] = [forms.BaseForm]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.split(".")[0] in ("teams", "ingestion", "analytics") and ".admin" not in one.__module__:
            found[one.__qualname__] = one
    return list(found.values())


def test_no_form_takes_a_right() -> None:
    taken = {one.__name__: set(getattr(one, "base_fields", {})) & RIGHTS for one in plain_forms()}
    assert len(taken) >= 8
    assert {name: fields for name, fields in taken.items() if fields} == TAKEN, (
        "A form takes a field that gives a right. If its act asks for the right itself, say so in TAKEN."
    )


def test_no_form_of_the_administration_takes_a_right_while_adding(visitors: Visitors) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=visitors.world.people["owner"].pk)
    taken = {}
    for model, one in admin.site._registry.items():
        if one.has_add_permission(request):
            form = one.get_form(request, None, change=False)
            taken[str(model._meta.model_name)] = set(form.base_fields) & RIGHTS
            choices = getattr(form.base_fields.get("organization"), "queryset", None)
            assert choices is None or [row.slug for row in choices] == ["acme"], model
    assert {name: fields for name, fields in taken.items() if fields} == ADDED


def unsafe() -> list[tuple[str, str]]:
    """Every address and method that may change something and is asked with a cookie."""
    return [(a, m) for a, methods in expectations().items() for m in methods if m not in SAFE and m != "*"]


@pytest.mark.parametrize("who", ["owner", "superuser"])
def test_every_unsafe_address_needs_a_token(visitors: Visitors, who: str) -> None:
    """S7: a form of another site, sent with the cookie of who may."""
    accepted = []
    for address, method in unsafe():
        path = places.path_of(address, visitors.world.sides["own"])
        answer = visitors.strict.ask(method, path, **places.form({"role": "finance"}), **visitors.credentials[who])
        if answer.status < 300 or answer.writes - NOTED:
            accepted.append(f"{method} {address}: {answer.status}")
    assert not accepted


HOSTILE: Final = ("organization", "organization_id", "scope", "created_by", "owner", "is_superuser", "scopes", "role")


@pytest.mark.parametrize("field", HOSTILE)
@pytest.mark.parametrize(
    "address", ["api/v1/saved-views", "api/v1/annotations", "api/v1/exports", "api/v1/metrics/query"]
)
def test_the_api_refuses_fields_that_it_does_not_know(visitors: Visitors, address: str, field: str) -> None:
    good: dict[str, Any] = dict(places.SENT.get(address, {"name": "x", "kind": "dashboard", "content": {"by": "user"}}))
    good.pop("team", None)
    path = "/" + address
    assert visitors.ask("owner", "POST", path, **document(good)).status in (200, 201, 202)
    theirs = visitors.world.sides["foreign"]["team"].organization_id
    refused = visitors.ask("owner", "POST", path, **document(good | {field: theirs}))
    assert refused.status == 400, refused.body
    assert not refused.writes - NOTED


def test_a_key_is_never_wider_than_its_maker(visitors: Visitors) -> None:
    """Demoted, its maker sees their own requests alone, and so does the old key; its team is one they do not see."""
    lines = {
        who: visitors.ask(who, "GET", "/api/v1/requests?start=2026-10-01T00:00:00Z").body
        for who in ("read_key", "demoted_key", "member")
    }
    assert len(json.loads(lines["read_key"])["results"]) == 9
    assert json.loads(lines["demoted_key"])["results"] == json.loads(lines["member"])["results"] == []
    owner = visitors.world.people["member"]
    other = visitors.world.sides["team"]["team"]
    key = make.key(visitors.world.acme, owner=owner, team=other)
    answer = visitors.door.ask("GET", "/api/v1/requests?start=2026-10-01T00:00:00Z", key=key.text)
    assert json.loads(answer.body)["results"] == []


def test_ids_of_another_organization_in_forms_change_nothing(visitors: Visitors) -> None:
    """A3: the administrator names people, teams and keys of the other organization in every form of the settings."""
    world = visitors.world
    before, theirs = rows_of(world.rival), world.sides["foreign"]
    sent = {
        "email": theirs["user"].email,
        "role": "viewer",
        "team": str(theirs["team"].pk),
        "name": "x",
        "scopes": "read",
    }
    for address, method in unsafe():
        if "settings/" in address:
            path = places.path_of(address, world.sides["own"])
            answer = visitors.ask("owner", method, path, **places.form(sent))
            assert RIVAL.lower() not in answer.body.lower().replace(theirs["user"].email, ""), address
    assert rows_of(world.rival) == before
    assert not TeamMembership.objects.filter(user=theirs["user"], team__organization=world.acme).exists()
    assert not Membership.objects.filter(user=theirs["user"], organization=world.acme).exists()
    assert not ApiKey.objects.filter(organization=world.acme, team=theirs["team"]).exists()
