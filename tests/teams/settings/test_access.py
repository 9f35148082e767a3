"""Every address of the settings x everybody x objects of one's own, of others, and none: one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from ingestion.models import GatewayUser, LLMModel, Merge, VirtualModel
from teams import services
from teams.models import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    Organization,
    Team,
    TeamMembership,
    User,
    VirtualAccount,
)
from teams.urls import urlpatterns
from tests import make
from tests.chargeback.postoffice import PostOffice
from tests.teams.settings.conftest import Enter, Furniture

ABSENT: Final = 10**15


@dataclass(frozen=True)
class Address:
    """How a route (before the blank) is asked; `{}` stand for ids of an organization's furniture, as in `ids`."""

    path: str
    ids: tuple[str, ...] = ()
    form: Mapping[str, str] | None = None  # what a POST sends; None: GET
    answers: int = 302  # to who may
    managers: bool = False  # the managers of a team may too
    finance: bool = False  # who manages prices may too
    owners: bool = False  # administrators may not


FORMS: Final = {"email": "new@acme.example", "role": "viewer"}
ADDRESSES: Final[dict[str, Address]] = {
    "settings": Address("", managers=True, finance=True),
    "settings-people": Address("people", answers=200),
    "settings-invite": Address("people/invite", form={"email": "new@acme.example", "role": "member"}),
    "settings-role": Address("people/{}/role", ("member",), {"role": "finance"}),
    "settings-remove": Address("people/{}/remove", ("member",), {}),
    "settings-invitation-resend": Address("people/invitations/{}/resend", ("invitation",), {}),
    "settings-invitation-revoke": Address("people/invitations/{}/revoke", ("invitation",), {}),
    "settings-teams": Address("teams", answers=200, managers=True),
    "settings-teams to create": Address("teams", form={"name": "New team"}),
    "settings-team": Address("teams/{}", ("team",), answers=200, managers=True),
    "settings-team-rename": Address("teams/{}/rename", ("team",), {"name": "Other name"}),
    "settings-team-add": Address(
        "teams/{}/add", ("team",), {"email": "member@acme.example", "role": "viewer"}, managers=True
    ),
    "settings-team-role": Address(
        "teams/{}/people/{}/role", ("team", "team_member"), {"role": "manager"}, managers=True
    ),
    "settings-team-remove": Address("teams/{}/people/{}/remove", ("team", "team_member"), {}, managers=True),
    "settings-team-merge": Address("teams/{}/merge?into=Ads", ("team",), answers=400),  # Search has members
    "settings-callers": Address("callers", answers=200),
    "settings-callers-move": Address("callers/move", form={"id": "0", "team": "0"}, answers=400),
    "settings-caller": Address("callers/{}", ("caller",), answers=200),
    "settings-caller-rename": Address("callers/{}/rename", ("caller",), {"name": "Other name"}),
    "settings-caller-merge": Address("callers/{}/merge", ("caller",), answers=400),
    "settings-accounts": Address("accounts", answers=200),
    "settings-accounts to register": Address("accounts", form={"name": "New account"}),
    "settings-accounts-move": Address("accounts/move", form={"id": "0", "team": "0"}, answers=400),
    "settings-account": Address("accounts/{}", ("account",), answers=200),
    "settings-account-rename": Address("accounts/{}/rename", ("account",), {"name": "Other name"}),
    "settings-account-merge": Address("accounts/{}/merge?into=acme+caller", ("account",), answers=400),
    "settings-models": Address("models", answers=200, finance=True),
    "settings-models to register": Address("models", form={"name": "gpt-9"}, finance=True),
    "settings-keys": Address("keys", answers=200),
    "settings-keys to create": Address("keys", form={"name": "New key", "scopes": "read"}, answers=200),
    "settings-key-rotate": Address("keys/{}/rotate", ("key",), {"overlap": "24"}, answers=200),
    "settings-key-revoke": Address("keys/{}/revoke", ("key",), {}),
    "settings-factor-reset": Address("people/{}/second-factor", ("member",), {}, answers=400),  # there is none
    "settings-sign-in": Address("sign-in", answers=200),
    "settings-sign-in to change": Address("sign-in", form={"issuer": "x"}, answers=400),
    "settings-sign-in-remove": Address("sign-in/remove", form={}, owners=True),
    "settings-sign-in-only": Address("sign-in/only", form={"on": "yes"}, answers=400, owners=True),
    "settings-sign-in-domain": Address("sign-in/domain", form={"domain": "x.example"}, answers=400, owners=True),
    "settings-sign-in-factor": Address("sign-in/second-factor", form={"on": "yes"}, owners=True),
    "settings-audit": Address("audit", answers=200),
}
# Addresses without an organization: what they answer says nothing about who asks. TOKEN is of an open invitation.
PUBLIC: Final = {
    "/invitation/TOKEN": 200,
    "/invitation/absent": 404,
    "/password-reset": 200,
    "/password-reset/sent": 200,
    "/password-reset/MQ/absent": 200,
    "/sign-in": 200,
    "/sign-in/code": 302,
    "/sign-in/sso/00000000-0000-4000-8000-000000000000": 404,
    "/sign-in/sso/00000000-0000-4000-8000-000000000000/callback": 404,
}
# Of whoever is signed in: test_views.py, test_second_factor.py.
OWN: Final = {"home", "profile", "preferences", "sign-out", "second-factor"} | {
    f"second-factor-{act}" for act in ("app", "passkey", "codes", "remove")
}
OUT: Final = "/sign-in"
# Who x (own object, one of another organization, none); M: as the address says for managers.
PEOPLE: Final[dict[str, tuple[int | str, int | str, int | str]]] = {
    "anonymous": (OUT, OUT, OUT),
    "disabled": (OUT, OUT, OUT),
    "owner": ("yes", 404, 404),
    "finance": ("prices", "prices", "prices"),
    "admin": ("administers", 404, 404),
    "manager": ("manages", "manages-404", "manages-404"),
    "other_manager": ("other", "manages-404", "manages-404"),
    "viewer": (403, 403, 403),
    "member": (403, 403, 403),
    "outsider": (404, 404, 404),
    "nobody": (404, 404, 404),
    "superuser": (404, 404, 404),
}
OBJECTS: Final = ("own", "foreign", "absent")


def expected(address: Address, rule: int | str) -> int | str:
    """The status, or where somebody is led who must sign in first."""
    if rule in ("manages", "manages-404", "other") and not address.managers:
        return 403
    if rule == "administers":
        rule = 403 if address.owners else "yes"
    match rule:
        case "prices":
            return address.answers if address.finance else 403
        case "yes" | "manages":
            return address.answers
        case "manages-404":
            return 404
        case "other":  # the list is there for every manager, the team of others is not
            return 403 if address.ids else address.answers
    return rule


def asked(client: Client, address: Address, slug: str, ids: list[int]) -> "tuple[int | str, bytes]":
    path = f"/o/{slug}/settings/{address.path.format(*ids)}"
    answer = client.get(path) if address.form is None else client.post(path, address.form)
    led = str(answer.headers.get("Location", ""))
    return (OUT if led.startswith("/sign-in?next=/o/") else answer.status_code, answer.content)


def stored() -> list[object]:
    """Everything that these addresses could change, but the audit log."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (
            *(Membership, TeamMembership, Team, ApiKey, Invitation, User, Organization),
            *(VirtualAccount, GatewayUser, LLMModel, VirtualModel, Merge),
        )
    ]


def test_the_table_of_addresses_is_complete() -> None:
    named = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {name for name in named if name == "settings" or name.startswith("settings-")} == {
        key.partition(" ")[0] for key in ADDRESSES
    }


def test_every_route_of_teams_is_in_a_table() -> None:
    public = {resolve(path).url_name for path in PUBLIC}
    settings = {name for name in routes(urlpatterns) if name == "settings" or name.startswith("settings-")}
    assert routes(urlpatterns) == public | OWN | settings


def routes(patterns: Sequence[URLPattern | URLResolver]) -> set[str]:
    """Names of the routes, also of those below another one."""
    found: set[str] = set()
    for one in patterns:
        found |= routes(one.url_patterns) if isinstance(one, URLResolver) else {str(one.name)}
    return found


@pytest.mark.parametrize("who", PEOPLE)
def test_what_is_public_answers_everybody_the_same(enter: Enter, client: Client, acme: Organization, who: str) -> None:
    issued = services.invite(
        actor=None, organization=acme, email="new@person.example", role="member", now=timezone.now()
    )
    if who != "anonymous":
        enter(who)
    for path, status in PUBLIC.items():
        found = client.get(path.replace("TOKEN", issued.token))
        signed_in = who not in ("anonymous", "disabled")
        assert found.status_code == (302 if path == "/sign-in" and signed_in else status), path
    assert not Membership.objects.filter(user__email="new@person.example").exists()


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("name", ADDRESSES)
def test_who_may(
    enter: Enter,
    client: Client,
    request: pytest.FixtureRequest,
    office: PostOffice,
    ours: Furniture,
    theirs: Furniture,
    member: User,
    name: str,
    who: str,
) -> None:
    address = ADDRESSES[name]
    if who == "disabled":  # signed in, and then disabled
        person = request.getfixturevalue("disabled")
        User.objects.filter(pk=person.pk).update(is_active=True)
        client.force_login(User.objects.get(pk=person.pk))
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif who != "anonymous":
        enter(who)
    before = stored()
    objects = {
        "absent": [ABSENT] * len(address.ids),
        "foreign": [getattr(theirs, field).pk for field in address.ids],
        "own": [getattr(ours, field).pk for field in address.ids],
    }
    bodies = {}
    for which in ("absent", "foreign", "own"):
        if which != "own" and not address.ids:
            continue
        wanted = expected(address, PEOPLE[who][OBJECTS.index(which)])
        found, bodies[which] = asked(client, address, "acme", objects[which])
        assert found == wanted, which
        assert b"Rival" not in bodies[which]
        assert b"rival.example" not in bodies[which] or who == "outsider"
        if found not in (200, 302):
            assert stored() == before, which
    if "foreign" in bodies:
        assert bodies["foreign"] == bodies["absent"]


@pytest.mark.parametrize("who", ["owner", "outsider", "superuser", "nobody"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_an_absent_organization_looks_like_a_foreign_one(
    enter: Enter, ours: Furniture, theirs: Furniture, name: str, who: str
) -> None:
    client, address = enter(who), ADDRESSES[name]
    foreign = "acme" if who == "outsider" else "rival"
    of = ours if who == "outsider" else theirs
    there = asked(client, address, foreign, [getattr(of, field).pk for field in address.ids])
    nowhere = asked(client, address, "absent", [ABSENT] * len(address.ids))
    assert there == nowhere
    assert there[0] == 404


@pytest.mark.parametrize("name", [name for name, address in ADDRESSES.items() if address.form is not None])
def test_what_changes_something_is_posted_with_a_token(owner: User, ours: Furniture, name: str) -> None:
    client, address = Client(enforce_csrf_checks=True), ADDRESSES[name]
    client.force_login(owner)
    before = stored()
    path = f"/o/acme/settings/{address.path.format(*[getattr(ours, field).pk for field in address.ids])}"
    assert client.get(path).status_code == (200 if " to " in name else 405)
    assert client.post(path, address.form).status_code == 403
    assert stored() == before


def test_somebody_of_another_team_of_the_own_organization_is_not_there(
    enter: Enter, ours: Furniture, ads: Team
) -> None:
    stranger = TeamMembership.objects.get(user=make.team_member(ads))
    for act in ("role", "remove"):
        path = f"/o/acme/settings/teams/{ours.team.pk}/people/{stranger.pk}/{act}"
        assert enter("manager").post(path, {"role": "manager"}).status_code == 404
    stranger.refresh_from_db()
    assert stranger.role == "viewer"


def test_acts_of_outsiders_leave_nothing_in_the_log(enter: Enter, ours: Furniture) -> None:
    before = AuditEntry.objects.count()
    enter("outsider").post(f"/o/acme/settings/people/{ours.member.pk}/remove")
    assert AuditEntry.objects.count() == before
