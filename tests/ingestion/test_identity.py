"""What makes a request the same one, over HTTP: its id in its organization, and nothing else."""

import json

import pytest
from django.test import Client

from ingestion.models import IngestBatch, LLMRequest
from teams.models import Organization
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
RECORD = {
    "request_id": "a",
    "started_at": "2026-11-24T11:59:00Z",
    "model": "gpt-4o",
    "metadata": {"x": "1", "y": "2"},
    "input_tokens": 3,
}
Counts = tuple[int, int, int, list[str]]
"""Accepted, duplicate, conflict, codes of the rejected."""


def post(client: Client, headers: dict[str, str], *records: object) -> Counts:
    return post_text(client, headers, json.dumps(records))


def post_text(client: Client, headers: dict[str, str], text: str) -> Counts:
    answer = client.post("/api/v1/requests", text, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    reply = answer.json()
    counts = IngestBatch.objects.latest("pk")
    assert (counts.accepted, counts.duplicate, counts.conflict) == (
        reply["accepted"],
        reply["duplicate"],
        reply["conflict"],
    )
    assert counts.rejected == len(reply["rejected"])
    return reply["accepted"], reply["duplicate"], reply["conflict"], [one["code"] for one in reply["rejected"]]


SAME = [
    RECORD,
    dict(reversed(RECORD.items())),
    RECORD | {"metadata": {"y": "2", "x": "1"}},
    RECORD | {"metadata": {"x": 1, "y": 2}},
    RECORD | {"started_at": "2026-11-24T17:29:00+05:30"},
    RECORD | {"started_at": "2026-11-24T11:59:00.0000009Z"},
    RECORD | {"output_tokens": None, "user": ""},
    RECORD | {"latency_ms": None, "team": None},
]


@pytest.mark.parametrize("again", SAME)
def test_the_same_in_other_words_is_a_duplicate(client: Client, headers: dict[str, str], again: object) -> None:
    assert post(client, headers, RECORD) == (1, 0, 0, [])
    assert post(client, headers, again) == (0, 1, 0, [])


def test_numbers_are_the_same_however_they_are_written(client: Client, headers: dict[str, str]) -> None:
    texts = [
        json.dumps(RECORD | {"latency_ms": 0, "reported_cost_usd": 0}).replace(": 0", f": {number}")
        for number in ("1500", "1500.0", "1.5e3", "15E+2")
    ]
    outcomes = [post_text(client, headers, f"[{text}]") for text in texts]
    assert outcomes == [(1, 0, 0, [])] + [(0, 1, 0, [])] * 3


@pytest.mark.parametrize(
    "other",
    [
        {"input_tokens": 4},
        {"input_tokens": None},
        {"output_tokens": 0},
        {"model": "gpt-4o-mini"},
        {"started_at": "2026-11-24T11:59:00.000001Z"},
        {"metadata": {"x": "1"}},
        {"user": "alice"},
    ],
)
def test_other_content_is_a_conflict_and_the_first_is_kept(
    client: Client, headers: dict[str, str], other: dict[str, object]
) -> None:
    post(client, headers, RECORD)
    before = list(LLMRequest.objects.values())
    assert post(client, headers, RECORD | other) == (0, 0, 1, [])
    assert list(LLMRequest.objects.values()) == before


@pytest.mark.parametrize(
    "name",
    ["", " ", "None", "none", "null", "NULL", "undefined", "x" * 129, "x" * 300, "a\0b", "\0", "ü", "a\nb", "\ud800"],
)
def test_what_is_no_identity_costs_its_record_only(client: Client, headers: dict[str, str], name: str) -> None:
    outcome = post(client, headers, RECORD | {"request_id": name}, RECORD, RECORD | {"request_id": name})
    assert outcome == (1, 0, 0, ["request_id"] * 2)


@pytest.mark.parametrize("name", [None, 7, True, [], {}])
def test_an_identity_is_text(client: Client, headers: dict[str, str], name: object) -> None:
    assert post(client, headers, RECORD | {"request_id": name}, RECORD) == (1, 0, 0, ["invalid"])
    missing = {key: value for key, value in RECORD.items() if key != "request_id"}
    assert post(client, headers, missing) == (0, 0, 0, ["missing"])


@pytest.mark.parametrize("name", ["a", "A", "a ", " a", "0", "x" * 128, "nonee", "%s", "';--", "NaN"])
def test_every_other_id_is_one_of_its_own(client: Client, headers: dict[str, str], name: str) -> None:
    post(client, headers, RECORD | {"request_id": "b"})
    assert post(client, headers, RECORD | {"request_id": name}) == (1, 0, 0, [])
    assert set(LLMRequest.objects.values_list("request_id", flat=True)) == {"b", name}


def test_inside_one_batch_the_first_is_kept(client: Client, headers: dict[str, str]) -> None:
    other = RECORD | {"input_tokens": 9}
    assert post(client, headers, other, RECORD, other, RECORD, other) == (1, 2, 2, [])
    assert LLMRequest.objects.get().input_tokens == 9
    assert post(client, headers, RECORD, other) == (0, 1, 1, [])


def test_another_organization_has_ids_of_its_own(client: Client, headers: dict[str, str], rival: Organization) -> None:
    theirs = make.bearer(make.key(rival, "ingest"))
    assert post(client, headers, RECORD) == post(client, theirs, RECORD | {"input_tokens": 4}) == (1, 0, 0, [])
    assert post(client, theirs, RECORD) == (0, 0, 1, [])
    assert sorted(LLMRequest.objects.values_list("organization__slug", "input_tokens")) == [("acme", 3), ("rival", 4)]


def test_another_key_of_the_organization_is_the_same_sender(client: Client, acme: Organization) -> None:
    first, second = (make.bearer(make.key(acme, "ingest")) for _ in range(2))
    assert post(client, first, RECORD) == (1, 0, 0, [])
    assert post(client, second, RECORD) == (0, 1, 0, [])
