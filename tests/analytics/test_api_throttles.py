"""How often a caller may ask."""

import json
from typing import Any

import pytest
from django.test import Client

from analytics.api import throttles
from teams.models import Organization, User
from teams.services import IssuedKey
from tests import make

URL = "/api/v1/requests"


def test_an_allowance_is_used_up_and_comes_back() -> None:
    standings = [throttles.take("queries", "a", 6, now=0.0) for _ in range(61)]
    assert [one.allowed for one in standings] == [True] * 60 + [False]
    assert (standings[0].limit, standings[0].remaining, standings[0].reset) == (60, 59, 10)
    assert (standings[-1].remaining, standings[-1].reset) == (0, 10)
    assert not throttles.take("queries", "a", 6, now=9.9).allowed
    assert throttles.take("queries", "a", 6, now=10.0).allowed
    assert throttles.take("queries", "a", 6, now=10_000.0).remaining == 59


def test_callers_and_kinds_do_not_share() -> None:
    for _ in range(10):
        throttles.take("queries", "a", 1, now=0.0)
    assert not throttles.take("queries", "a", 1, now=0.0).allowed
    assert throttles.take("queries", "b", 1, now=0.0).allowed
    assert throttles.take("suggestions", "a", 1, now=0.0).allowed


def test_a_clock_that_steps_back_gives_nothing() -> None:
    throttles.take("queries", "a", 6, now=100.0)
    assert throttles.take("queries", "a", 6, now=0.0).remaining == 58


@pytest.fixture
def few(settings: Any) -> None:
    """Ten questions at once."""
    settings.QUERIES_PER_MINUTE = settings.SUGGESTIONS_PER_MINUTE = 1


def test_every_answer_says_where_the_caller_stands(
    client: Client, acme: Organization, read_key: IssuedKey, owner: User, few: None
) -> None:
    answers = [client.get(URL, {"limit": limit}, headers=make.bearer(read_key)) for limit in (1, 0)]
    assert [(one.status_code, one["RateLimit-Limit"], one["RateLimit-Remaining"]) for one in answers] == [
        (200, "10", "9"),
        (400, "10", "8"),
    ]
    for _ in range(8):
        client.get(URL, headers=make.bearer(read_key))
    refused = client.get(URL, headers=make.bearer(read_key))
    assert (refused.status_code, refused["RateLimit-Remaining"]) == (429, "0")
    assert 0 < int(refused["Retry-After"]) <= 61
    assert json.loads(refused.content)["type"].endswith("/too-many-requests")
    assert client.get("/api/v1/dimensions/model/values", headers=make.bearer(read_key)).status_code == 200
    client.force_login(owner)  # a person has an allowance of their own
    assert client.get(URL).status_code == 200


def test_who_is_nobody_uses_up_nothing(client: Client, acme: Organization, few: None) -> None:
    answers = [client.get(URL, headers={"Authorization": "Bearer wrong"}) for _ in range(12)]
    assert {one.status_code for one in answers} == {401}
    assert not answers[0].has_header("RateLimit-Limit")
