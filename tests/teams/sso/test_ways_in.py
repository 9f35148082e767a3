"""Every way to a session, found in the code, and what each does where the provider is the only one."""

import ast
import inspect
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from teams import services, tasks
from teams.models import AuditEntry, IdentityProvider, Invitation, Membership, Organization, User
from teams.services import IssuedKey
from tests import make
from tests.chargeback.postoffice import PostOffice
from tests.teams.sso.conftest import Arrive, signed_in_as

ROOT: Final = Path(__file__).resolve().parents[3]
# Whatever can make a request somebody's: Django's and allauth's names for it, and the keys of a session.
OPENERS: Final = frozenset(
    {"login", "alogin", "force_login", "perform_login", "complete_login", "complete_social_login"}
)
SESSION_KEYS: Final = frozenset({"SESSION_KEY", "_auth_user_id", "BACKEND_SESSION_KEY", "HASH_SESSION_KEY"})
# Views whose names or addresses speak of signing in, and what they do about sessions.
ABOUT_SESSIONS: Final = {
    "sign-in": "password",
    "sign-in-factor": "second factor after the password",
    "sso": "leads to the provider",
    "sso-callback": "the provider's answer",
    "unsubscribe": "ends mails, whoever asks",
    "sign-out": "ends",
    "profile": "a new password keeps the own session",
    "preferences": "needs a session",
    "password-reset": "asks for a mail",
    "password-reset-sent": "says so",
    "password-reset-confirm": "sets a password, opens none",
    "invitation": "sets a password, opens none",
    "second-factor": "needs a session",
    "second-factor-app": "needs a session",
    "second-factor-passkey": "needs a session",
    "second-factor-codes": "needs a session",
    "second-factor-remove": "needs a session",
    "login": "the administration's: leads to sign-in",
    "logout": "the administration's: ends",
    "password_change": "the administration's: needs a session",
    "auth_user_password_change": "the administration's: sets somebody's password, opens none",
    "password_change_done": "the administration's: needs a session",
}
_TELLING: Final = re.compile(
    r"sign-in|sign-out|login|logout|passw|invitation|second-factor|sso|profile|token|magic|social"
)


def calls() -> Iterator[tuple[str, str]]:
    """Where the code calls something that opens a session, or writes the keys of one."""
    for folder in ("metricsportal", "teams", "ingestion", "analytics"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                name = getattr(node, "attr", getattr(node, "id", getattr(node, "value", None)))
                called = node.func if isinstance(node, ast.Call) else None
                if getattr(called, "attr", getattr(called, "id", None)) in OPENERS:
                    yield str(path.relative_to(ROOT)), ast.unparse(node)
                elif isinstance(name, str) and name in SESSION_KEYS:
                    yield str(path.relative_to(ROOT)), name


def test_one_place_opens_sessions() -> None:
    assert list(calls()) == [("teams/entrances.py", "login(request, user, backend=_BACKEND)")]


def patterns(found: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    for one in found:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, path)
        else:
            yield path, str(one.name), one.callback


def test_every_address_that_speaks_of_signing_in_is_known() -> None:
    telling = {
        name
        for path, name, view in patterns(get_resolver().url_patterns)
        if _TELLING.search(path) and not path.startswith("o/")
    }
    assert {name for name in telling if not name.startswith("teams_")} == set(ABOUT_SESSIONS)


def test_no_view_of_another_package_opens_sessions() -> None:
    """allauth and Django bring views that sign people in; none has an address, but those that ours extend."""
    foreign = set()
    for _, name, view in patterns(get_resolver().url_patterns):
        made = getattr(view, "view_class", inspect.unwrap(view))
        if made.__module__.startswith(("allauth.", "django.contrib.auth.views")):
            foreign.add(name)
    assert foreign == {"sign-out"}


@pytest.fixture
def only(acme: Organization, acme_sso: IdentityProvider) -> IdentityProvider:
    """Acme is opened through its provider alone."""
    IdentityProvider.objects.update(sso_only=True)
    acme_sso.refresh_from_db()
    return acme_sso


PRIVATE: Final = ("/o/acme/", "/o/acme/settings/people", "/o/acme/requests/", "/admin/teams/membership/")


def reaches(client: Client) -> list[int]:
    api = client.get("/api/v1/metrics/meta?organization=acme").status_code
    return [*(client.get(path).status_code for path in PRIVATE), api]


def test_a_password_opens_no_session(only: IdentityProvider, owner: User, member: User) -> None:
    for person in (owner, member):
        client = Client()
        answer = client.post("/sign-in", {"username": person.email, "password": make.PASSWORD})
        assert answer.status_code == 200
        assert b"through its provider" in answer.content
        assert signed_in_as(client) is None
        assert answer.status_code == client.post("/sign-in", {"username": person.email, "password": "no"}).status_code


def test_a_session_of_before_opens_nothing(acme_sso: IdentityProvider, owner: User, client: Client) -> None:
    client.post("/sign-in", {"username": owner.email, "password": make.PASSWORD})
    assert reaches(client) == [200] * 5
    IdentityProvider.objects.update(sso_only=True)
    assert all(status in (302, 403, 404) for status in reaches(client))
    page = client.get("/o/acme/settings/people")
    assert page.status_code == 403
    assert b"its own sign-in alone" in page.content
    assert client.get("/").status_code == 403
    before = Membership.objects.count()
    for path in ("people/invite", "teams", "keys", "sign-in/only"):
        assert client.post(f"/o/acme/settings/{path}", {"email": "a@b.example", "role": "admin"}).status_code == 403
    assert (Membership.objects.count(), Invitation.objects.count()) == (before, 0)


def test_a_reset_opens_nothing(only: IdentityProvider, owner: User, office: PostOffice, client: Client) -> None:
    tasks.send_reset(owner.email)
    body = office.messages[-1].get_body(("plain",))
    assert body is not None
    (path,) = re.findall(r"(/password-reset/\S+)\s", body.get_content())
    address = client.get(path)["Location"]
    phrase = "a wholly different phrase"
    client.post(address, {"new_password1": phrase, "new_password2": phrase})
    assert signed_in_as(client) is None
    client.post("/sign-in", {"username": owner.email, "password": phrase})
    assert signed_in_as(client) is None


def test_an_invitation_opens_nothing_and_is_accepted_through_the_provider(
    only: IdentityProvider, acme: Organization, arrive: Arrive, client: Client
) -> None:
    issued = services.invite(
        actor=None, organization=acme, email="new@acme.example", role="finance", now=make.NOW.replace(year=2098)
    )
    path, phrase = f"/invitation/{issued.token}", "a wholly different phrase"
    page = client.get(path)
    assert b"password" not in page.content.lower()
    assert f"/sign-in/sso/{only.address}" in page.content.decode()
    client.post(path, {"name": "N", "new_password1": phrase, "new_password2": phrase})
    assert not User.objects.filter(email="new@acme.example").exists()
    arrive(only, "w-1", client, email="new@acme.example")
    assert Membership.objects.get(user__email="new@acme.example").role == "finance"
    assert client.get("/o/acme/").status_code == 200


def test_an_account_of_elsewhere_joins_and_still_comes_through_the_provider(
    only: IdentityProvider, acme: Organization, rival: Organization
) -> None:
    person = make.member(rival, email="both@acme.example")
    client = Client()
    client.post("/sign-in", {"username": person.email, "password": make.PASSWORD})
    issued = services.invite(
        actor=None, organization=acme, email=person.email, role="admin", now=make.NOW.replace(year=2098)
    )
    client.post(f"/invitation/{issued.token}")
    assert client.get("/o/rival/").status_code == 200
    assert all(status in (302, 403, 404) for status in reaches(client))


def test_the_administration_has_no_sign_in_of_its_own(only: IdentityProvider, owner: User, client: Client) -> None:
    answer = client.post("/admin/login/", {"username": owner.email, "password": make.PASSWORD})
    assert answer["Location"] == "/sign-in?next=/admin/"
    assert signed_in_as(client) is None
    client.force_login(owner)  # as a session of before
    assert client.get("/admin/").status_code in (302, 403)


def test_operators_keep_their_password(only: IdentityProvider, acme: Organization, superuser: User) -> None:
    Membership.objects.create(organization=acme, user=superuser, role="owner")
    client = Client()
    assert client.post("/sign-in", {"username": superuser.email, "password": make.PASSWORD}).status_code == 302
    assert client.get("/o/acme/").status_code == 200


def test_a_session_of_an_operator_that_a_provider_opened_is_none(
    acme_sso: IdentityProvider, arrive: Arrive, client: Client
) -> None:
    arrive(acme_sso, "w-2", client, email="later@acme.example")
    User.objects.update(is_superuser=True)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/o/acme/")["Location"].startswith("/sign-in")


def test_the_provider_is_the_way_in(only: IdentityProvider, owner: User, arrive: Arrive, client: Client) -> None:
    arrive(only, "w-3", client, email=owner.email)
    assert reaches(client) == [200] * 5
    only.delete()
    assert all(status in (302, 403, 404) for status in reaches(client))


def test_keys_go_on(only: IdentityProvider, read_key: IssuedKey, client: Client) -> None:
    assert client.get("/api/v1/metrics/meta", headers=make.bearer(read_key)).status_code == 200


def test_only_an_owner_who_came_from_it_makes_it_the_only_one(
    acme_sso: IdentityProvider, owner: User, admin: User, arrive: Arrive
) -> None:
    def turn(client: Client, on: str = "yes") -> tuple[int, bool]:
        status = client.post("/o/acme/settings/sign-in/only", {"on": on}).status_code
        return status, IdentityProvider.objects.get().sso_only

    by_password, by_provider, by_admin = Client(), Client(), Client()
    by_password.force_login(owner)
    assert turn(by_password) == (400, False)
    assert AuditEntry.objects.filter(action="sign_in.only.refused", actor=owner).count() == 1
    arrive(acme_sso, "w-4", by_admin, email=admin.email)
    assert turn(by_admin) == (403, False)
    arrive(acme_sso, "w-5", by_provider, email=owner.email)
    assert turn(by_provider) == (302, True)
    assert turn(by_password, "no") == (403, True)
    assert turn(by_provider, "no") == (302, False)


def test_it_is_the_only_way_into_its_own_organization(
    acme_sso: IdentityProvider, rival: Organization, owner: User, arrive: Arrive
) -> None:
    first = uuid.UUID(int=1)
    IdentityProvider.objects.create(id=first, address=first, organization=rival, issuer="https://other.example")
    client = Client()
    arrive(acme_sso, "w-6", client, email=owner.email)
    assert client.post("/o/acme/settings/sign-in/only", {"on": "yes"}).status_code == 302
    assert dict(IdentityProvider.objects.values_list("organization__slug", "sso_only")) == {
        "acme": True,
        "rival": False,
    }
