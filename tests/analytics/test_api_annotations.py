"""`annotations` by API: from the first to the last day of one, what is wrong, what is sent twice."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from analytics.annotations import writing
from analytics.models import Annotation
from teams.models import AuditEntry, Organization, Team
from teams.services import IssuedKey
from tests import make

URL = "/api/v1/annotations"
DEPLOY = {"kind": "deploy", "at": "2026-11-24T11:30:00Z", "text": "search 4.2"}
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """The clock stands."""
    with time_machine.travel(make.NOW, tick=False):
        yield


def send(key: IssuedKey, **fields: Any) -> Any:
    body = json.dumps(DEPLOY | fields)
    return Client().post(URL, body, content_type="application/json", headers=make.bearer(key))


def read(key: IssuedKey, **parameters: str) -> Json:
    response = Client().get(URL, parameters, headers=make.bearer(key))
    assert response.status_code == 200, response.content
    document: Json = response.json()
    return document


def texts(key: IssuedKey, **parameters: str) -> list[str]:
    return [one["text"] for one in read(key, **parameters)["results"]]


def audit() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(action__startswith="annotation").order_by("pk")
    return [(one.action, one.target, str(one.actor)) for one in entries]


def test_a_deploy_from_its_first_to_its_last_day(
    acme: Organization, ingest_key: IssuedKey, read_key: IssuedKey
) -> None:
    made = send(ingest_key, link="https://ci.example/builds/7", external_id="build-7")
    assert made.status_code == 201, made.content
    document = made.json()
    assert document == {
        "id": document["id"],
        "kind": "deploy",
        "at": "2026-11-24T11:30:00.000000Z",
        "end": None,
        "text": "search 4.2",
        "link": "https://ci.example/builds/7",
        "team": None,
        "external_id": "build-7",
        "author": f"key {ingest_key.key.name}",
        "created_at": "2026-11-24T12:00:00.000000Z",
    }
    place = f"{URL}/{document['id']}"
    assert made["Location"] == place
    assert read(read_key) == {"results": [document], "next_cursor": None}
    assert Client().get(place, headers=make.bearer(read_key)).json() == document
    assert Client().delete(place, headers=make.bearer(ingest_key)).status_code == 204
    assert Client().delete(place, headers=make.bearer(ingest_key)).status_code == 404
    assert not Annotation.objects.exists()
    who = "owner@acme.example"
    assert audit() == [("annotation.add", "search 4.2", who), ("annotation.delete", "search 4.2", who)]
    details = AuditEntry.objects.filter(action="annotation.add").get().details
    assert details == {
        "kind": "deploy",
        "at": "2026-11-24T11:30:00+00:00",
        "team": None,
        "key": str(ingest_key.key),
    }


def test_a_hook_that_is_tried_again_makes_one(acme: Organization, search: Team, ingest_key: IssuedKey) -> None:
    first, again = send(ingest_key, external_id="d-1"), send(ingest_key, external_id="d-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again["Location"] == first["Location"]
    for other in (
        {"text": "other"},
        {"at": "2026-11-24T11:31:00Z"},
        {"end": "2026-11-24T11:31:00Z"},
        {"kind": "other"},
        {"team": "Search"},
        {"link": "https://ci.example"},
    ):
        refused = send(ingest_key, external_id="d-1", **other)
        assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")
    assert [send(ingest_key).status_code for _ in range(2)] == [201, 201]  # without an id every one is new
    assert Annotation.objects.count() == 3
    assert len(audit()) == 3  # what changes nothing is no act


@pytest.mark.parametrize("at", [None, "now", "now-5m"])
def test_a_hook_that_tells_no_fixed_instant_makes_one_too(acme: Organization, ingest_key: IssuedKey, at: Any) -> None:
    made = send(ingest_key, at=at, external_id="d-1")
    with time_machine.travel(make.NOW + timedelta(minutes=3), tick=False):
        again = send(ingest_key, at=at, external_id="d-1")
    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json()["at"] == made.json()["at"]


def test_the_same_id_in_two_organizations_is_two(
    acme: Organization, rival: Organization, ingest_key: IssuedKey
) -> None:
    assert send(ingest_key, external_id="d-1").status_code == 201
    assert send(make.key(rival, "ingest"), external_id="d-1").status_code == 201


def test_the_database_keeps_ids_apart(acme: Organization) -> None:
    """Two hooks at the very same instant: the lock orders them, and were there none, this would."""
    fields = {"organization": acme, "kind": "deploy", "at": make.NOW, "text": "x", "external_id": "d-1"}
    Annotation.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Annotation.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Annotation.objects.create(**(fields | {"external_id": "d-2", "end": make.NOW}))


def test_a_range_is_half_open_and_holds_what_lasts_into_it(
    acme: Organization, ingest_key: IssuedKey, read_key: IssuedKey
) -> None:
    for hour in (8, 9, 10):
        send(ingest_key, at=f"2026-11-24T{hour:02}:00:00Z", text=f"at {hour}")
    send(ingest_key, kind="incident", at="2026-11-24T07:00:00Z", end="2026-11-24T09:30:00Z", text="long")
    between = {"from": "2026-11-24T09:00:00Z", "to": "2026-11-24T10:00:00Z"}
    assert texts(read_key, **between) == ["at 9", "long"]
    assert texts(read_key, **{"from": "2026-11-24T09:30:00Z"}) == ["at 10"]
    assert texts(read_key, to="2026-11-24T08:00:00Z") == ["long"]
    assert texts(read_key, **{"from": "now-4h", "to": "now-3h"}) == ["at 8", "long"]
    assert texts(read_key, **{"from": "2026-11-24T11:00:00+02:00"}) == ["at 10", "at 9", "long"]
    assert texts(read_key) == ["at 10", "at 9", "at 8", "long"]


def test_pages(acme: Organization, ingest_key: IssuedKey, read_key: IssuedKey) -> None:
    for number in range(5):
        send(ingest_key, text=str(number), at="2026-11-24T10:00:00Z" if number < 3 else "2026-11-24T11:00:00Z")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        document = read(read_key, limit="2", **cursor)
        found += [one["text"] for one in document["results"]]
        if document["next_cursor"] is None:
            break
        send(ingest_key, text="new", at="2026-11-24T11:59:00Z")  # arrives before: hides nothing, repeats nothing
        cursor = {"cursor": document["next_cursor"]}
    assert found == ["4", "3", "2", "1", "0"]
    other = Client().get(URL, cursor | {"to": "now"}, headers=make.bearer(read_key))
    assert other.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("parameters", "loc", "code"),
    [
        ({"from": "yesterday"}, ["from"], "invalid_instant"),
        ({"to": "2026-11-24T11:30:00"}, ["to"], "no_offset"),
        ({"from": "now", "to": "now-1h"}, ["to"], "invalid_range"),
        ({"from": "now", "to": "now"}, ["to"], "invalid_range"),
        ({"start": "now-1h"}, ["start"], "unknown_parameter"),
        ({"limit": "0"}, ["limit"], "out_of_range"),
        ({"cursor": "x"}, ["cursor"], "invalid_cursor"),
    ],
)
def test_ranges_that_are_none(
    acme: Organization, read_key: IssuedKey, parameters: dict[str, str], loc: list[str], code: str
) -> None:
    response = Client().get(URL, parameters, headers=make.bearer(read_key))
    assert response.status_code == 400
    assert [(one["loc"], one["code"]) for one in response.json()["errors"]] == [(loc, code)]


@pytest.mark.parametrize(
    ("fields", "loc", "code"),
    [
        ({"kind": "party"}, ["kind"], "unknown_value"),
        ({"kind": None}, ["kind"], "required"),
        ({"kind": ["deploy"]}, ["kind"], "unknown_value"),
        ({"text": ""}, ["text"], "required"),
        ({"text": "   "}, ["text"], "required"),
        ({"text": None}, ["text"], "required"),
        ({"text": "a" * 201}, ["text"], "invalid_value"),
        ({"text": "two\nlines"}, ["text"], "invalid_value"),
        ({"text": "left\u202eright"}, ["text"], "invalid_value"),
        ({"text": 7}, ["text"], "invalid_type"),
        ({"at": "soon"}, ["at"], "invalid_instant"),
        ({"at": "2026-11-24T11:30:00"}, ["at"], "no_offset"),
        ({"at": "1969-01-01T00:00:00Z"}, ["at"], "invalid_instant"),
        ({"at": 1764000000}, ["at"], "invalid_type"),
        ({"end": "2026-11-24T11:30:00Z"}, ["end"], "invalid_range"),
        ({"end": "2026-11-24T11:29:00Z"}, ["end"], "invalid_range"),
        ({"link": "javascript:alert(1)"}, ["link"], "invalid_value"),
        ({"link": "JaVaScRiPt://x.example/%0aalert(1)"}, ["link"], "invalid_value"),
        ({"link": "data:text/html,x"}, ["link"], "invalid_value"),
        ({"link": "//x.example"}, ["link"], "invalid_value"),
        ({"link": "/o/acme/"}, ["link"], "invalid_value"),
        ({"link": "https://"}, ["link"], "invalid_value"),
        ({"link": "https://[x"}, ["link"], "invalid_value"),
        ({"link": "https://x.example/a b"}, ["link"], "invalid_value"),
        ({"link": "https://portal.example@evil.example/"}, ["link"], "invalid_value"),
        ({"link": "https:\\\\evil.example"}, ["link"], "invalid_value"),
        ({"link": "https://x.example/\t"}, [], ""),  # spaces around are no part of it
        ({"link": "https://x.example/" + "a" * 500}, ["link"], "invalid_value"),
        ({"link": 7}, ["link"], "invalid_type"),
        ({"team": "absent"}, ["team"], "unknown_value"),
        ({"team": 7}, ["team"], "invalid_type"),
        ({"external_id": "a" * 121}, ["external_id"], "invalid_value"),
        ({"external_id": 7}, ["external_id"], "invalid_type"),
        ({"author": "me"}, ["author"], "unknown_field"),
        ({"text": "\0"}, [], "invalid_text"),
    ],
)
def test_what_is_wrong_is_named(
    acme: Organization, ingest_key: IssuedKey, fields: Json, loc: list[Any], code: str
) -> None:
    response = send(ingest_key, **fields)
    if not code:
        assert response.status_code == 201
        return
    assert response.status_code == 400, response.content
    assert [(one["loc"], one["code"]) for one in response.json()["errors"]] == [(loc, code)]
    assert not Annotation.objects.exists()


def test_everything_wrong_is_told_at_once_with_what_is_allowed(acme: Organization, ingest_key: IssuedKey) -> None:
    response = send(ingest_key, kind="party", text="", link="ftp://x", typo=1)
    errors = response.json()["errors"]
    assert [one["loc"] for one in errors] == [["typo"], ["kind"], ["text"], ["link"]]
    assert errors[1]["allowed"] == ["deploy", "price_change", "routing_change", "incident", "other"]
    assert errors[3]["allowed"] == ["http", "https"]
    body = Client().post(URL, "[1]", content_type="application/json", headers=make.bearer(ingest_key))
    assert body.json()["errors"][0]["code"] == "invalid_type"


@pytest.mark.parametrize("link", ["http://jenkins:8080/job/7", "HTTPS://x.example", "https://x.example/ä?q=1#top"])
def test_links_that_lead_to_the_web(acme: Organization, ingest_key: IssuedKey, link: str) -> None:
    assert send(ingest_key, link=link).json()["link"] == link


def test_there_is_a_limit(acme: Organization, ingest_key: IssuedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST", 2)
    assert [send(ingest_key, external_id=name).status_code for name in "abc"] == [201, 201, 409]
    assert send(ingest_key, external_id="a").status_code == 200  # the same again needs no room


@pytest.mark.parametrize("annotation_id", ["0", "-1", "x", "9" * 30, "9" * 18, "1.0", "%00"])
def test_ids_that_are_none(acme: Organization, read_key: IssuedKey, ingest_key: IssuedKey, annotation_id: str) -> None:
    send(ingest_key)
    assert Client().get(f"{URL}/{annotation_id}", headers=make.bearer(read_key)).status_code == 404
    assert Client().delete(f"{URL}/{annotation_id}", headers=make.bearer(ingest_key)).status_code == 404


def test_questions_are_counted(acme: Organization, ingest_key: IssuedKey, settings: Any) -> None:
    settings.QUERIES_PER_MINUTE = 1
    statuses = [send(ingest_key).status_code for _ in range(11)]
    assert statuses == [201] * 10 + [429]
