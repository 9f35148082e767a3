"""The page that tells how ingest is going, and who may open it."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from ingestion.health import Refused, Sender, health
from ingestion.models import IngestBatch, LLMRequest
from teams.models import Organization, User
from teams.services import IssuedKey
from tests import make

PAGE = "/o/acme/ingestion/"
TEST = "/o/acme/ingestion/test"


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def post(client: Client, key: IssuedKey, *records: dict[str, object]) -> None:
    answer = client.post(
        "/api/v1/requests", json.dumps(records), content_type="application/json", headers=make.bearer(key)
    )
    assert answer.status_code == 200, answer.content


def record(name: str, **fields: object) -> dict[str, object]:
    return {"request_id": name, "started_at": make.NOW.isoformat(), "model": "gpt-5", **fields}


def test_every_outcome_is_shown_with_its_sender(client: Client, acme: Organization, ingest_key: IssuedKey) -> None:
    post(client, ingest_key, *(record(f"r{number}") for number in range(120)))
    post(client, ingest_key, record("r0"), record("r1", model="other"), record("", model="x"), {"request_id": "late"})
    make.request(acme)
    IngestBatch.objects.create(organization=acme, received_at=make.NOW - timedelta(days=2), source="csv", accepted=7)
    IngestBatch.objects.create(organization=acme, received_at=make.NOW - timedelta(days=31), source="old", accepted=7)
    found = health(acme, make.NOW)
    key = str(ingest_key.key)
    assert set(found.senders) == {
        Sender("native", key, make.NOW, "2.1", "120", "1", "1", "2"),
        Sender("test", "files and commands", make.NOW, "0", "1", "0", "0", "0"),
        Sender("csv", "files and commands", make.NOW - timedelta(days=2), "0", "0", "0", "0", "0"),
    }
    assert found.senders[-1].source == "csv"
    assert [(one.key, one.place, one.code, one.field) for one in found.refused] == [
        (key, 2, "request_id", "request_id"),
        (key, 3, "missing", "started_at"),
    ]
    assert isinstance(found.refused[0], Refused)
    assert (found.conflicts, found.capped) == (1, 0)


def test_another_organization_is_not_in_it(client: Client, acme: Organization, rival: Organization) -> None:
    post(client, make.key(rival, "ingest"), record("", model="secret-model"), record("r1"))
    found = health(acme, make.NOW)
    assert (found.senders, found.refused) == ((), ())


def test_hostile_reasons_are_kept_short_and_shown_as_text(
    client: Client, acme: Organization, owner: User, ingest_key: IssuedKey
) -> None:
    post(client, ingest_key, record("a", **{"<script>alert(1)</script>" + "x" * 5_000: 1}))
    (example,) = IngestBatch.objects.get().examples
    assert len(example["message"]) <= 300
    client.force_login(owner)
    page = client.get(PAGE).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_an_empty_organization_is_told_how_to_begin(client: Client, acme: Organization, owner: User) -> None:
    client.force_login(owner)
    page = client.get(PAGE).content.decode()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in page
    assert "Senders" not in page


def test_a_test_record_takes_the_whole_way(client: Client, acme: Organization, owner: User) -> None:
    client.force_login(owner)
    page = client.post(TEST, follow=True).content.decode()
    assert "The test record was stored." in page
    stored = LLMRequest.objects.get(organization=acme)
    assert (str(stored.model), stored.failed, stored.cost_state) == ("portal-test", False, stored.cost_state)
    assert client.get(TEST).status_code == 405


@pytest.mark.parametrize(
    ("who", "page", "test"),
    [
        ("owner", 200, 302),
        ("admin", 200, 302),
        ("finance", 200, 403),
        ("manager", 403, 403),
        ("viewer", 403, 403),
        ("member", 403, 403),
        ("outsider", 404, 404),
        ("nobody", 404, 404),
    ],
)
def test_who_may_open_it(
    client: Client, acme: Organization, request: pytest.FixtureRequest, who: str, page: int, test: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert (client.get(PAGE).status_code, client.post(TEST).status_code) == (page, test)
    assert LLMRequest.objects.count() == (1 if test == 302 else 0)


def test_visitors_are_asked_to_sign_in(client: Client, acme: Organization) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/sign-in?next=/o/acme/ingestion/")
    assert client.post(TEST).headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(("who", "offered"), [("owner", True), ("finance", True), ("viewer", False), ("member", False)])
def test_it_is_offered_to_those_who_may_open_it(
    client: Client, acme: Organization, request: pytest.FixtureRequest, who: str, offered: bool
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert (f'href="{PAGE}"' in client.get("/o/acme/").content.decode()) is offered
