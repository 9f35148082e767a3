"""Second factors: real codes of an app, recovery codes, organizations that ask for one, and losing it."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.test import Client

from teams import sealing
from teams.models import AuditEntry, Membership, Organization, User
from tests import make
from tests.chargeback.postoffice import PostOffice

PAGE = "/profile/second-factor"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that tests move: a code is good for half a minute."""
    with time_machine.travel(make.NOW, tick=False) as traveller:
        yield traveller


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or some half minutes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def secret_of(user: User) -> str:
    sealed: str = Authenticator.objects.get(user=user, type="totp").data["secret"]
    return sealing.unseal(sealed)


def by_password(user: User, client: Client | None = None, target: str = "") -> tuple[Client, Any]:
    client = client or Client()
    return client, client.post("/sign-in", {"username": user.email, "password": make.PASSWORD, "next": target})


def enroll(user: User) -> tuple[Client, list[str]]:
    """Add an app in the profile; the client and the recovery codes."""
    client, _ = by_password(user)
    secret = client.get(PAGE).context["secret"]
    page = client.post(f"{PAGE}/app", {"code": code_of(secret), "password": make.PASSWORD})
    assert page.status_code == 200, page.content
    return client, page.context["codes"]


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_an_app_is_added_by_its_code_and_asked_for(owner: User, clock: time_machine.Traveller) -> None:
    mine, codes = enroll(owner)
    assert len(codes) == 10
    assert mine.get("/o/acme/").status_code == 200
    stored = repr(list(Authenticator.objects.values()))
    assert secret_of(owner) not in stored
    assert not any(code in stored for code in codes)
    client, answer = by_password(owner, target="/o/acme/statements/")
    assert answer["Location"] == "/sign-in/code?next=%2Fo%2Facme%2Fstatements%2F"
    assert not signed_in(client)
    assert client.get("/o/acme/").status_code == 302
    # The code with which the app was added is used up, also for who looked over the shoulder.
    assert client.post(answer["Location"], {"code": code_of(secret_of(owner))}).status_code == 200
    clock.shift(30)
    before = client.session.session_key
    entered = client.post(answer["Location"], {"code": code_of(secret_of(owner))})
    assert entered["Location"] == "/o/acme/statements/"
    assert client.session.session_key != before
    assert client.get("/o/acme/").status_code == 200
    again, answer = by_password(owner)
    assert again.post("/sign-in/code", {"code": code_of(secret_of(owner))}).status_code == 200
    assert not signed_in(again)


@pytest.mark.parametrize(("steps", "works"), [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_be_half_a_minute_off(owner: User, clock: time_machine.Traveller, steps: int, works: bool) -> None:
    enroll(owner)
    clock.shift(600)
    client, _ = by_password(owner)
    client.post("/sign-in/code", {"code": code_of(secret_of(owner), steps)})
    assert signed_in(client) is works


def test_a_recovery_code_is_good_once(owner: User) -> None:
    _, codes = enroll(owner)
    for code, works in ((codes[0], True), (codes[0], False), (codes[1], True), ("", False), ("x" * 33, False)):
        client, _ = by_password(owner)
        client.post("/sign-in/code", {"code": code})
        assert signed_in(client) is works, code


def test_new_recovery_codes_end_the_old_ones(owner: User) -> None:
    mine, codes = enroll(owner)
    fresh = mine.post(f"{PAGE}/codes", {"password": make.PASSWORD}).context["codes"]
    assert not set(fresh) & set(codes)
    client, _ = by_password(owner)
    client.post("/sign-in/code", {"code": codes[0]})
    assert not signed_in(client)


def test_the_second_step_needs_the_first(owner: User, clock: time_machine.Traveller) -> None:
    enroll(owner)
    clock.shift(600)
    code = {"code": code_of(secret_of(owner))}
    assert Client().post("/sign-in/code", code)["Location"] == "/sign-in"
    late, _ = by_password(owner)
    clock.shift(601)
    assert late.post("/sign-in/code", {"code": code_of(secret_of(owner))})["Location"] == "/sign-in"
    changed, _ = by_password(owner)
    owner.set_password("a wholly different phrase")
    owner.save()
    assert changed.post("/sign-in/code", {"code": code_of(secret_of(owner))})["Location"] == "/sign-in"
    assert not any(signed_in(client) for client in (late, changed))


def test_who_was_disabled_between_the_steps_stays_out(owner: User) -> None:
    _, codes = enroll(owner)
    client, _ = by_password(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    client.post("/sign-in/code", {"code": codes[0]})
    assert not signed_in(client)


def test_ten_codes_an_hour_are_looked_at(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from teams import services

    _, codes = enroll(owner)
    looked: list[str] = []
    original = services.check_code

    def counted(*, user: User, code: str) -> bool:
        looked.append(code)
        return original(user=user, code=code)

    monkeypatch.setattr(services, "check_code", counted)
    statuses = []
    for number in range(15):
        client, _ = by_password(owner, Client(REMOTE_ADDR=f"198.51.{number}.1"))
        statuses.append(client.post("/sign-in/code", {"code": f"{number:06}"}).status_code)
    assert statuses == [200] * 9 + [429] * 6
    assert len(looked) == 10
    client, _ = by_password(owner, Client(REMOTE_ADDR="203.0.113.1"))
    assert client.post("/sign-in/code", {"code": codes[0]}).status_code == 429
    # A new password by e-mail forgives wrong passwords, and no codes.
    from teams import lockout

    lockout.forgive(owner.email)
    assert client.post("/sign-in/code", {"code": codes[0]}).status_code == 429
    assert not signed_in(client)
    with time_machine.travel(make.NOW + timedelta(minutes=61), tick=False):
        client, _ = by_password(owner, Client(REMOTE_ADDR="203.0.113.1"))
        assert client.post("/sign-in/code", {"code": codes[0]}).status_code == 302


@pytest.mark.parametrize("path", ["/app", "/passkey", "/codes", "/remove"])
def test_changes_need_the_password_and_a_token(owner: User, path: str) -> None:
    mine, _ = enroll(owner)
    before = list(Authenticator.objects.order_by("pk").values())
    number = Authenticator.objects.get(type="totp").pk
    form = {"number": number, "code": "000000", "name": "x", "credential": "{}"}
    for password in ("", "wrong"):
        assert mine.post(PAGE + path, form | {"password": password}).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = mine.cookies
    assert strict.post(PAGE + path, form | {"password": make.PASSWORD}).status_code == 403
    assert Client().post(PAGE + path, form)["Location"].startswith("/sign-in")
    assert list(Authenticator.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_right_code_or_passkey_without_the_password_adds_nothing(
    owner: User, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Whoever finds a browser open has a telephone of their own: nothing but the password keeps them out."""
    monkeypatch.setattr("teams.services.factors.webauthn.complete_registration", lambda credential: None)
    client, _ = by_password(owner)
    right = {"code": code_of(client.get(PAGE).context["secret"]), "name": "x", "credential": "{}", "password": password}
    for way in ("/app", "/passkey"):
        assert client.post(PAGE + way, right).status_code == 400
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "credential", ["", "x", "[]", "{}", '{"id": "a", "rawId": 7, "type": "public-key", "response": {}}']
)
def test_a_passkey_that_is_none(owner: User, credential: str) -> None:
    client, _ = by_password(owner)
    page = client.post(f"{PAGE}/passkey", {"name": "x", "credential": credential, "password": make.PASSWORD})
    assert page.status_code == 400
    assert not Authenticator.objects.exists()
    enroll(owner)
    client, _ = by_password(owner)
    client.post("/sign-in/code", {"credential": credential or "{"})
    assert not signed_in(client)


def test_the_app_of_somebody_else_is_not_there(owner: User, admin: User) -> None:
    enroll(admin)
    mine, _ = enroll(owner)
    theirs = Authenticator.objects.get(user=admin, type="totp")
    assert mine.post(f"{PAGE}/remove", {"number": theirs.pk, "password": make.PASSWORD}).status_code == 400
    assert Authenticator.objects.filter(pk=theirs.pk).exists()


def test_removing_the_last_one_takes_the_codes_along_and_is_told(owner: User, office: PostOffice) -> None:
    mine, _ = enroll(owner)
    number = Authenticator.objects.get(type="totp").pk
    assert mine.post(f"{PAGE}/remove", {"number": number, "password": make.PASSWORD}).status_code == 302
    assert not Authenticator.objects.exists()
    assert office.recipients == [[owner.email]]
    acts = AuditEntry.objects.filter(actor=owner).order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["second_factor.add", "second_factor.remove"]


def test_an_organization_asks_for_one(acme: Organization, owner: User, rival: Organization) -> None:
    Membership.objects.create(organization=rival, user=owner, role="member")
    before, _ = by_password(owner)
    assert before.post("/o/acme/settings/sign-in/second-factor", {"on": "yes"}).status_code == 302
    # Whoever has none: sessions of before, too, open everything but this organization.
    client, answer = by_password(owner)
    assert answer["Location"] == PAGE
    for one in (before, client):
        closed = one.get("/o/acme/")
        assert closed.status_code == 403
        assert b"Add a second factor" in closed.content
        assert one.get("/api/v1/metrics/meta?organization=acme").status_code == 404
        assert one.get("/o/rival/").status_code == 200
        assert one.get("/admin/teams/membership/").status_code in (302, 403)
    assert b"asks for a second factor" in client.get(PAGE).content
    secret = client.get(PAGE).context["secret"]
    client.post(f"{PAGE}/app", {"code": code_of(secret), "password": make.PASSWORD})
    assert client.get("/o/acme/").status_code == 200
    number = Authenticator.objects.get(type="totp").pk
    assert client.post(f"{PAGE}/remove", {"number": number, "password": make.PASSWORD}).status_code == 400
    assert client.post("/o/acme/settings/sign-in/second-factor", {"on": "no"}).status_code == 302
    assert before.get("/o/acme/").status_code == 200


def reset(actor: User, person: User) -> int:
    client = Client()
    client.force_login(actor)
    member = Membership.objects.get(user=person, organization__slug="acme")
    return client.post(f"/o/acme/settings/people/{member.pk}/second-factor").status_code


def test_an_administrator_helps_who_lost_it(admin: User, member: User, office: PostOffice) -> None:
    enroll(member)
    assert reset(admin, member) == 302
    assert not Authenticator.objects.exists()
    client, _ = by_password(member)
    assert signed_in(client)
    assert office.recipients == [[member.email]]
    body = office.messages[0].get_body(("plain",))
    assert body is not None
    assert re.search(rf"{admin.email} removed the second factors of\s+{member.email}", body.get_content())
    assert AuditEntry.objects.filter(action="second_factor.reset", actor=admin, target=member.email).count() == 1
    assert reset(admin, member) == 400  # nothing to remove


def test_but_not_where_it_would_open_more(
    acme: Organization, rival: Organization, admin: User, owner: User, member: User, office: PostOffice
) -> None:
    Membership.objects.create(organization=rival, user=member, role="member")
    operator = make.member(acme, email="operator@acme.example")
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    people = (member, operator, owner, admin)
    for person in people:
        enroll(person)
    before = Authenticator.objects.count()
    assert [reset(admin, person) for person in people] == [403, 403, 403, 400]
    assert Authenticator.objects.count() == before
    assert AuditEntry.objects.filter(action="second_factor.reset.refused", actor=admin).count() == 4
    assert office.recipients == []
    call_command("remove_second_factor", member.email, "--organization", "acme")
    assert not Authenticator.objects.filter(user=member).exists()
    assert office.recipients == [[member.email]]
    with pytest.raises(CommandError):
        call_command("remove_second_factor", member.email, "--organization", "acme")


def test_no_code_is_kept_by_the_count_of_wrong_ones(owner: User) -> None:
    from axes.models import AccessAttempt

    enroll(owner)
    client, _ = by_password(owner)
    client.post("/sign-in/code", {"code": "canary-code"})
    assert AccessAttempt.objects.count() == 1
    assert "canary-code" not in repr(list(AccessAttempt.objects.values()))
