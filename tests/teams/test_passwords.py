"""A new password by e-mail."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.test import Client

from teams import letters, tasks
from teams.models import User
from tests import make
from tests.chargeback.postoffice import DROP, PostOffice

RESET = "/password-reset"
PHRASE = "a wholly different phrase"


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What workers are told."""
    calls: list[tuple[str, list[str]]] = []

    def send_task(name: str, args: list[str], **options: Any) -> None:
        calls.append((name, args))

    monkeypatch.setattr(current_app, "send_task", send_task)
    return calls


def link(office: PostOffice) -> str:
    body = office.messages[-1].get_body(("plain",))
    assert body is not None
    (path,) = re.findall(r"https://portal\.example(/password-reset/\S+)\s", body.get_content())
    return str(path)


def choose(client: Client, path: str, phrase: str = PHRASE) -> int:
    """Open the link and choose a password, as a browser does: 302 when it was stored, else 200."""
    opened = client.get(path)
    address = opened.headers.get("Location", path)
    return client.post(address, {"new_password1": phrase, "new_password2": phrase}).status_code


def test_every_address_is_answered_the_same(owner: User, rung: list[tuple[str, list[str]]]) -> None:
    User.objects.filter(pk=make.user("disabled@acme.example").pk).update(is_active=False)
    answers = [
        Client().post(RESET, {"email": email}, follow=True)
        for email in (owner.email, "unknown@acme.example", "disabled@acme.example")
    ]
    assert len({answer.content for answer in answers}) == 1
    assert b"Look into your mail" in answers[0].content
    assert rung == [
        (letters.RESET_TASK, [email]) for email in (owner.email, "unknown@acme.example", "disabled@acme.example")
    ]
    assert tasks.send_reset.name == letters.RESET_TASK


@pytest.mark.parametrize(
    "email", ["", "no address", "a\0@x.example", "a\r\nBcc: e@x.example", "x" * 5000 + "@x.example"]
)
def test_what_is_no_address_rings_nobody(db: None, rung: list[tuple[str, list[str]]], email: str) -> None:
    assert Client().post(RESET, {"email": email}).status_code == 200
    assert rung == []


def test_a_mail_goes_to_who_may_sign_in_alone(owner: User, office: PostOffice) -> None:
    User.objects.filter(pk=make.user("disabled@acme.example").pk).update(is_active=False)
    User.objects.create_user("unusable@acme.example")
    addresses = ("OWNER@acme.example", "unknown@acme.example", "disabled@acme.example", "unusable@acme.example", "x")
    assert [tasks.send_reset(email) for email in addresses] == [1, 0, 0, 0, 0]
    assert office.recipients == [[owner.email]]


def test_a_mailbox_is_not_filled_by_asking_again_and_again(owner: User, admin: User, office: PostOffice) -> None:
    with time_machine.travel(make.NOW, tick=False):
        assert [tasks.send_reset(email) for email in (owner.email, owner.email, admin.email)] == [1, 0, 1]
    with time_machine.travel(make.NOW + timedelta(seconds=299), tick=False):
        assert tasks.send_reset(owner.email) == 0
    with time_machine.travel(make.NOW + timedelta(minutes=5), tick=False):
        assert tasks.send_reset(owner.email) == 1
    assert sorted(office.recipients) == [[admin.email], [owner.email], [owner.email]]


def test_the_link_sets_a_password_once_and_ends_other_sessions(owner: User, office: PostOffice) -> None:
    other = Client()
    other.force_login(owner)
    tasks.send_reset(owner.email)
    path, client = link(office), Client()
    assert choose(client, path) == 302
    assert "_auth_user_id" not in client.session
    owner.refresh_from_db()
    assert owner.check_password(PHRASE)
    assert other.get("/profile").headers["Location"].startswith("/sign-in")
    assert b"Your password was changed" in client.get("/sign-in").content
    again = Client()
    assert choose(again, path, "yet another phrase") == 200
    assert b"This link is over" in again.get(path, follow=True).content
    owner.refresh_from_db()
    assert owner.check_password(PHRASE)


def test_a_link_lasts_an_hour(owner: User, office: PostOffice) -> None:
    with time_machine.travel(make.NOW, tick=False):
        tasks.send_reset(owner.email)
    with time_machine.travel(make.NOW + timedelta(minutes=61), tick=False):
        assert choose(Client(), link(office)) == 200
    owner.refresh_from_db()
    assert owner.check_password(make.PASSWORD)
    with time_machine.travel(make.NOW + timedelta(minutes=59), tick=False):
        assert choose(Client(), link(office)) == 302


def test_a_person_who_was_disabled_meanwhile_stays_out(owner: User, office: PostOffice) -> None:
    tasks.send_reset(owner.email)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    client = Client()
    choose(client, link(office))
    assert client.post("/sign-in", {"username": owner.email, "password": PHRASE}).status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("phrase", ["short", "12345678901234", "password123", "owner@acme.example"])
def test_a_weak_password_is_refused(owner: User, office: PostOffice, phrase: str) -> None:
    tasks.send_reset(owner.email)
    assert choose(Client(), link(office), phrase) == 200
    owner.refresh_from_db()
    assert owner.check_password(make.PASSWORD)


@pytest.mark.parametrize(
    "path", ["/password-reset/MQ/x-y", "/password-reset/%00/x", "/password-reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5/a-b"]
)
def test_a_forged_link_is_over(owner: User, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert b"This link is over" in answer.content


def test_a_new_password_lets_the_owner_in_at_once(owner: User, office: PostOffice) -> None:
    for _ in range(10):
        Client().post("/sign-in", {"username": owner.email, "password": "wrong"})
    mine = Client(REMOTE_ADDR="203.0.113.1")
    assert mine.post("/sign-in", {"username": owner.email, "password": make.PASSWORD}).status_code == 429
    tasks.send_reset(owner.email)
    assert choose(mine, link(office)) == 302
    assert mine.post("/sign-in", {"username": owner.email, "password": PHRASE}).status_code == 302


@pytest.mark.parametrize("answer", ["421 closing", "550 no", DROP])
def test_a_mail_server_in_trouble_is_no_error(owner: User, office: PostOffice, answer: str) -> None:
    office.answer("RCPT", answer)
    with time_machine.travel(make.NOW, tick=False):
        assert tasks.send_reset(owner.email) == 1
    office.answer("RCPT", "")
    with time_machine.travel(make.NOW + timedelta(minutes=5), tick=False):
        tasks.send_reset(owner.email)
        assert choose(Client(), link(office)) == 302


def test_a_broker_in_trouble_is_no_error(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def send_task(*args: Any, **options: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(current_app, "send_task", send_task)
    assert Client().post(RESET, {"email": owner.email}).status_code == 302


def test_forms_want_their_token(owner: User, office: PostOffice) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(RESET, {"email": owner.email}).status_code == 403
    tasks.send_reset(owner.email)
    assert choose(client, link(office)) == 403
