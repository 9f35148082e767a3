"""Wrong passwords: how many are looked at, for whom, and how the owner gets in nevertheless."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.backends import ModelBackend
from django.test import Client, RequestFactory
from pytest_django import Settings

from teams import lockout
from teams.models import User
from tests import make

pytestmark = pytest.mark.django_db


class Looked:
    """How often a password was really looked at."""

    count = 0


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    found = Looked()
    original = ModelBackend.authenticate

    def authenticate(self: ModelBackend, *args: Any, **kwargs: Any) -> Any:
        found.count += 1
        return original(self, *args, **kwargs)

    monkeypatch.setattr(ModelBackend, "authenticate", authenticate)
    return found


def sign_in(email: str, password: str = "wrong", address: str = "192.0.2.1", **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post("/sign-in", {"username": email, "password": password}, headers=headers)


def attack(times: int, email: str = "owner@acme.example", **more: str) -> list[int]:
    return [sign_in(email, **more).status_code for _ in range(times)]


def test_an_account_is_tried_ten_times_from_wherever(owner: User, looked: Looked) -> None:
    answers = [sign_in(owner.email, address=f"198.51.{number}.1") for number in range(30)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [429] * 21
    assert looked.count == 10
    assert b"Too many wrong passwords" in answers[-1].content
    assert answers[-1].headers["Retry-After"] == "3600"
    right = sign_in(owner.email, make.PASSWORD, address="203.0.113.9")
    assert (right.status_code, looked.count) == (429, 10)
    assert "_auth_user_id" not in right.client.session


def test_an_unknown_account_is_answered_the_same(owner: User) -> None:
    for _ in range(12):
        known, unknown = (
            sign_in(email, address=a) for email, a in ((owner.email, "192.0.2.1"), ("x@y.z", "192.0.2.9"))
        )
        assert known.status_code == unknown.status_code
    assert known.content == unknown.content


@pytest.mark.parametrize("spelling", ["OWNER@acme.example", " owner@acme.example ", "Owner@Acme.Example"])
def test_another_spelling_is_the_same_account(owner: User, looked: Looked, spelling: str) -> None:
    assert attack(10) == [200] * 9 + [429]
    assert sign_in(spelling, make.PASSWORD, address="203.0.113.9").status_code == 429
    assert looked.count == 10


def test_an_address_tries_twenty_accounts(owner: User, looked: Looked) -> None:
    codes = [sign_in(f"person-{number}@acme.example").status_code for number in range(40)]
    assert codes == [200] * 19 + [429] * 21
    assert looked.count == 20
    assert sign_in(owner.email, make.PASSWORD).status_code == 429
    assert sign_in(owner.email, make.PASSWORD, address="192.0.2.2").status_code == 302


def test_the_limits_are_settings(owner: User, settings: Settings, looked: Looked) -> None:
    settings.AXES_FAILURE_LIMIT, settings.SIGN_IN_TRIES_PER_ADDRESS = 3, 5
    assert attack(4) == [200, 200, 429, 429]
    assert [sign_in(f"p{n}@acme.example", address="192.0.2.3").status_code for n in range(7)] == [200] * 4 + [429] * 3


def test_a_lock_ends_and_what_is_refused_does_not_prolong_it(owner: User) -> None:
    with time_machine.travel(make.NOW, tick=False):
        attack(10)
    with time_machine.travel(make.NOW + timedelta(minutes=59), tick=False):
        assert attack(5) == [429] * 5
    with time_machine.travel(make.NOW + timedelta(minutes=61), tick=False):
        assert sign_in(owner.email, make.PASSWORD).status_code == 302


def test_a_success_forgives_the_own_failures_and_not_those_of_the_address(owner: User, admin: User) -> None:
    attack(9)
    assert sign_in(owner.email, make.PASSWORD).status_code == 302
    assert attack(9) == [200] * 9
    # An attacker with an account of their own gains nothing by signing in.
    for number in range(19):
        sign_in(f"person-{number}@acme.example", address="192.0.2.7")
        if sign_in(admin.email, make.PASSWORD, address="192.0.2.7").status_code == 429:
            break
    assert sign_in("one-more@acme.example", address="192.0.2.7").status_code == 429


def test_a_forged_header_is_no_other_address(owner: User, looked: Looked) -> None:
    headers = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(40)]
    codes = [sign_in(f"p{n}@acme.example", **one).status_code for n, one in enumerate(headers)]
    assert codes.count(429) == 21
    assert looked.count == 20


@pytest.mark.parametrize(
    ("remote", "forwarded", "behind_proxy", "address"),
    [
        ("192.0.2.1", None, False, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", False, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", True, "198.51.100.1"),
        ("192.0.2.1", "1.1.1.1, 198.51.100.1", True, "198.51.100.1"),
        ("192.0.2.1", None, True, None),
        ("192.0.2.1", "forged", True, None),
        ("", None, False, None),
        ("2001:db8:1:2:3:4:5:6", None, False, "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", None, False, "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", None, False, "192.0.2.1"),
    ],
)
def test_where_a_request_comes_from(
    settings: Settings, remote: str, forwarded: str | None, behind_proxy: bool, address: str | None
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert lockout.client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)) == address


def test_people_behind_a_socket_do_not_lock_each_other_out(owner: User) -> None:
    codes = [sign_in(f"p{number}@acme.example", address="").status_code for number in range(30)]
    assert codes == [200] * 30
    assert sign_in(owner.email, make.PASSWORD, address="").status_code == 302


def test_no_password_is_kept(owner: User) -> None:
    sign_in(owner.email, "canary-secret")
    assert "canary-secret" not in repr(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize("email", ["\0", "a\0@acme.example", "x" * 5000, "", "\u0131@acme.example"])
def test_a_hostile_name_is_counted(owner: User, email: str) -> None:
    assert attack(3, email) == [200] * 3


def test_who_is_signed_in_stays_so_and_the_administration_is_no_other_way(owner: User, looked: Looked) -> None:
    client = Client(REMOTE_ADDR="203.0.113.1")
    client.force_login(owner)
    attack(10)
    assert client.get("/profile").status_code == 200
    other = Client().post("/admin/login/", {"username": owner.email, "password": make.PASSWORD})
    assert (other.headers["Location"], looked.count) == ("/sign-in?next=/admin/", 10)
