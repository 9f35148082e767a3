"""What is wrong costs its own event only; bodies that are no batch are refused; nobody without a key gets in."""

import gzip
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from ingestion.models import IngestBatch, LangfuseObservation, LangfuseTrace, LLMRequest
from teams.models import Organization
from tests import make
from tests.ingestion.langfuse.batches import PATH, at, created, ended, event, outcomes, post, stored, trace

pytestmark = pytest.mark.django_db


def send(client: Client, headers: dict[str, str], body: bytes) -> Any:
    return client.post(PATH, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "bad",
    [
        "null", "1", "[]", '"x"', "{}", '{"id": "bad"}',
        '{"id": "bad", "type": "generation-create", "body": {"id": "x"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": "soon", "body": {"id": "x"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": 1, "body": {"id": "x"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": "2026-11-24T11:59:00", "body": {"id": "x"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": "0001-01-01T00:00:00+14:00", "body": {"id": "x"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": "2026-11-24T11:59:00Z", "body": null}',
        '{"id": "bad", "type": "generation-create", "timestamp": "2026-11-24T11:59:00Z", "body": [1]}',
        '{"id": "bad", "type": "generation-create", "timestamp": "2026-11-24T11:59:00Z", "body": {"id": "\\ud800"}}',
        '{"id": "bad", "type": "generation-create", "timestamp": "2026-11-24T11:59:00Z", "body": {"id": "a\\u0000"}}',
    ],
)  # fmt: skip
def test_a_bad_event_costs_itself_only(client: Client, headers: dict[str, str], bad: str) -> None:
    good = ", ".join(map(json.dumps, (trace(), created(), ended())))
    answer = send(client, headers, f'{{"batch": [{bad}, {good}]}}'.encode())
    assert answer.status_code == 207
    reply = answer.json()
    assert ([one["status"] for one in reply["errors"]], len(reply["successes"])) == ([400], 3)
    assert reply["errors"][0]["id"] in ("", "bad")
    assert list(stored()) == ["call"]
    assert outcomes() == {"accepted": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"id": None}, "request_id"),
        ({"id": ""}, "request_id"),
        ({"id": "x" * 129}, "request_id"),
        ({"id": "none"}, "not an identity"),
        ({"traceId": "x" * 129}, "trace_id"),
        ({"traceId": "a\0"}, "trace_id"),
        ({"model": "x" * 257}, "model"),
        ({"model": "a\0b"}, "model"),
        ({"startTime": "2026-09-24T11:59:00Z"}, "started_at must lie between"),
        ({"startTime": "2026-11-24T12:06:00Z"}, "started_at must lie between"),
        ({"startTime": "yesterday"}, "body.startTime"),
        ({"endTime": 5}, "body.endTime"),
        ({"completionStartTime": {}}, "body.completionStartTime"),
        ({"usageDetails": {"input": -1}}, "negative"),
        ({"usageDetails": {"input": "many"}}, "whole number"),
        ({"usageDetails": {"input": 2**63}}, "input_tokens"),
        ({"costDetails": {"total": -1}}, "reported_cost_usd"),
        ({"metadata": {"a\0": "x"}}, "metadata"),
    ],
)
def test_a_value_that_cannot_be_is_told_to_the_sender(
    client: Client, headers: dict[str, str], more: dict[str, Any], words: str
) -> None:
    reply = post(client, headers, created(**more)).json()
    assert (reply["successes"], [one["status"] for one in reply["errors"]]) == ([], [400])
    assert words in reply["errors"][0]["message"]
    assert not LangfuseObservation.objects.exists()
    assert outcomes() == {"rejected": 1}


@pytest.mark.parametrize("kind", ["", "generation", "-create", "generation-delete", "sdk-log-x", None, 3])
def test_kinds_that_are_none_are_refused(client: Client, headers: dict[str, str], kind: Any) -> None:
    reply = post(client, headers, event("x-create", 0, id="x") | {"type": kind}).json()
    assert [one["status"] for one in reply["errors"]] == [400]


@pytest.mark.parametrize("more", [{"id": None}, {"userId": "u" * 257}, {"userId": "a\0"}, {"metadata": {"\0": "x"}}])
def test_a_trace_that_cannot_be(client: Client, headers: dict[str, str], more: dict[str, Any]) -> None:
    reply = post(client, headers, trace(**more)).json()
    assert [one["status"] for one in reply["errors"]] == [400]
    assert not LangfuseTrace.objects.exists()


def test_an_observation_without_its_type_is_refused(client: Client, headers: dict[str, str]) -> None:
    reply = post(client, headers, event("observation-create", 0, id="x")).json()
    assert "body.type" in reply["errors"][0]["message"]


def test_what_only_both_events_together_make_wrong_is_told_to_the_last(client: Client, headers: dict[str, str]) -> None:
    events = [trace(), created(), ended(endTime="9999-12-31T23:59:59Z")]
    reply = post(client, headers, *events).json()
    assert [one["id"] for one in reply["errors"]] == [events[2]["id"]]
    assert len(reply["successes"]) == 2
    # Nothing of a batch is to blame for a call that only its trace made due.
    post(client, headers, created("b", traceId="t"), ended("b", traceId="t", endTime="9999-12-31T23:59:59Z"))
    assert post(client, headers, created("open"), trace(id="t")).json()["errors"] == []
    assert outcomes() == {"rejected": 2}


def test_odd_names_come_back_as_they_were(client: Client, headers: dict[str, str]) -> None:
    name = "🌍 <script>'; DROP TABLE x; -- {{x}} مرحبا"
    post(client, headers, trace(userId=name, metadata={name: name}), created(), ended(model=name))
    fact = stored()["call"]
    assert (str(fact.user), str(fact.model), fact.metadata) == (name, name, {name: name})


def test_a_bad_number_in_one_event_does_not_cost_the_batch(client: Client, headers: dict[str, str]) -> None:
    good = ", ".join(map(json.dumps, (trace(), created(), ended())))
    odd = json.dumps(created("odd", input="\ud800")).replace('"gpt-4o"', "NaN")
    reply = send(client, headers, f'{{"batch": [{good}, {odd}]}}'.encode()).json()
    assert len(reply["successes"]) + len(reply["errors"]) == 4
    assert "call" in stored()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"batch": {}}', b'{"batch": null}', b'{"batch": [1,]}', b'{"batch": [1], }',
     b'{"batch": [NaN}', b'{"batch": ' + b"[" * 100_000, b"\xff\xfe", b'{"batch": [' + b'{"a":' * 50_000],
)  # fmt: skip
def test_what_is_no_batch_is_refused(client: Client, headers: dict[str, str], body: bytes) -> None:
    answer = send(client, headers, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not IngestBatch.objects.exists()


def test_an_empty_batch(client: Client, headers: dict[str, str]) -> None:
    answer = post(client, headers)
    assert (answer.status_code, answer.json()) == (207, {"successes": [], "errors": []})
    assert not IngestBatch.objects.exists()


def test_deep_payloads_are_skipped_unread(client: Client, headers: dict[str, str]) -> None:
    deep = json.dumps(created("deep"))[:-2] + ', "input": ' + "[" * 400 + "]" * 400 + "}}"
    reply = send(client, headers, f'{{"batch": [{deep}]}}'.encode()).json()
    assert reply["errors"] == []
    assert LangfuseObservation.objects.exists()


def test_limits_of_the_body(client: Client, headers: dict[str, str], settings: Settings) -> None:
    settings.INGEST_MAX_RECORDS = 2
    assert post(client, headers, trace(), created(), ended()).status_code == 413
    settings.INGEST_MAX_BODY_BYTES = 1_000
    body = gzip.compress(json.dumps({"batch": [created(input="x" * 2_000)]}).encode())
    answer = client.post(PATH, body, content_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert not LangfuseObservation.objects.exists()
    assert send(client, headers | {"Content-Encoding": "br"}, b"x").status_code == 415


def test_nothing_is_created_without_a_valid_key(client: Client, acme: Organization) -> None:
    for headers in ({}, {"Authorization": "Basic eDp4"}, {"Authorization": "Bearer x"}):
        assert post(client, headers, trace(), created(), ended()).status_code == 401
    assert post(client, make.bearer(make.key(acme, "read")), trace()).status_code == 403
    assert client.get(PATH).status_code == 405
    for model in (LLMRequest, IngestBatch, LangfuseObservation, LangfuseTrace):
        assert not model._default_manager.exists()


def test_a_database_that_is_gone_is_answered_with_503(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("ingestion.views.endpoints.identify_key", refuse)
    answer = post(client, headers, created(endTime=at(1)))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
