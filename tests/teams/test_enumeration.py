"""A8 and S7b: no answer tells which accounts exist; of a thousand tries ten are looked at, twenty from one place."""

import re
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from celery import current_app
from django.conf import LazySettings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from teams import lockout
from teams.models import Organization, User
from tests import make


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


def try_in(client: Client, email: str, address: str, **headers: str) -> int:
    form = {"username": email, "password": "wrong"}
    return client.post("/sign-in", form, REMOTE_ADDR=address, headers=headers).status_code


@pytest.mark.slow  # test_lockout.py says the same of forty
def test_a_thousand_tries_of_one_account(owner: User, looked: Looked) -> None:
    client = Client()
    for number in range(1000):
        forged = {"X-Forwarded-For": f"203.0.{number % 250}.{number // 250}"}
        try_in(client, owner.email, f"198.{number % 250}.{number // 250}.1", **forged)
    assert looked.count <= 10
    lockout.forgive(owner.email)  # what a new password by e-mail does
    mine = client.post("/sign-in", {"username": owner.email, "password": make.PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert mine.status_code == 302


@pytest.mark.slow
def test_a_thousand_accounts_from_one_address(db: None, looked: Looked) -> None:
    client = Client()
    for number in range(1000):
        try_in(client, f"person-{number}@acme.example", "192.0.2.1", **{"X-Forwarded-For": f"203.0.113.{number % 250}"})
    assert looked.count <= 20


def plain(content: bytes, *words: str) -> str:
    """A page without its token and without what was typed."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", content.decode())
    for word in words:
        text = text.replace(word, "")
    return text


@pytest.mark.parametrize("path", ["/sign-in", "/password-reset"])
def test_known_and_unknown_names_read_the_same(
    path: str, acme: Organization, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)
    disabled = make.member(acme, email="disabled@acme.example")
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    found = set()
    for email in (owner.email, disabled.email, "unknown@acme.example"):
        form = {"username": email, "password": "wrong"} if path == "/sign-in" else {"email": email}
        answer = Client().post(path, form, follow=True)
        found.add((answer.status_code, plain(answer.content, email)))
    assert len(found) == 1


def test_keys_that_exist_read_as_those_that_do_not(acme: Organization, client: Client) -> None:
    issued = make.key(acme)
    prefix = issued.text.rpartition("_")[0]
    texts = (f"{prefix}_{'A' * 43}", f"mp_000000000000_{'A' * 43}", "mp_x", "")
    found = {
        (answer.status_code, re.sub(rb'"request_id":"\w+"', b"", answer.content))
        for answer in (
            client.get("/api/v1/metrics/meta", headers={"Authorization": f"Bearer {text}"}) for text in texts
        )
    }
    assert len(found) == 1
    assert next(iter(found))[0] == 401


class Dear(PBKDF2PasswordHasher):
    """Dear enough for a hash that is left out to be seen, cheap enough to be asked eight hundred times."""

    algorithm = "dear"
    iterations = 40_000


def medians(asked: Callable[[str], object], *names: str) -> list[float]:
    """Milliseconds of 200 tries of each, by turns, so that what else runs slows all of them."""
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(200):
        for name in names:
            begun = perf_counter()
            asked(name)
            took[name].append((perf_counter() - begun) * 1000)
    return [median(one) for one in took.values()]


@pytest.mark.slow  # times, which elsewhere no test looks at
@pytest.mark.parametrize("door", ["sign-in", "password-reset", "key"])
def test_known_and_unknown_names_take_as_long(
    door: str, acme: Organization, owner: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A8: whatever is done for an account that exists is done for one that does not."""
    settings.PASSWORD_HASHERS = [f"{__name__}.Dear"]
    settings.AXES_ENABLED = False
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)
    owner.set_password(make.PASSWORD)
    owner.save()
    client, issued = Client(), make.key(acme)

    def asked(name: str) -> Any:
        if door == "key":
            return client.get("/api/v1/metrics/meta", headers={"Authorization": f"Bearer {name}"})
        form = {"username": name, "password": "wrong"} if door == "sign-in" else {"email": name}
        return client.post(f"/{door}", form)

    prefix = issued.text.rpartition("_")[0]
    known, unknown = owner.email, "other@acme.example"
    if door == "key":
        known, unknown = f"{prefix}_{'A' * 43}", f"mp_000000000000_{'A' * 43}"
    first, second = medians(asked, known, unknown)
    assert abs(first - second) < 5, (first, second)
