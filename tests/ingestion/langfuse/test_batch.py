"""The endpoint: one call is one fact, whatever events and batches tell of it."""

import gzip
import itertools
import json
from typing import Any

import pytest
from django.test import Client

from ingestion.models import IngestBatch, LangfuseObservation, LLMRequest
from teams.models import Organization
from tests import make
from tests.ingestion.langfuse import batches
from tests.ingestion.langfuse.batches import PATH, at, created, ended, event, outcomes, post, stored, trace

pytestmark = pytest.mark.django_db
ERROR = "Error code: 429 - {'error': {'message': 'slow down'}}"


def test_a_call_in_one_batch(client: Client, headers: dict[str, str]) -> None:
    about: dict[str, Any] = {"sessionId": "s-1", "tags": ["a", "b"], "metadata": {"feature": "faq", "deep": {"x": 1}}}
    events = [trace(**about), created(metadata={"step": 3}), ended(completionStartTime=at(0.5))]
    answer = post(client, headers, *events)
    assert answer.status_code == 207
    assert answer.json() == {"successes": [{"id": one["id"], "status": 201} for one in events], "errors": []}
    fact = stored()["call"]
    assert (str(fact.model), str(fact.user), fact.operation, fact.trace_id) == (
        "gpt-4o-2026-01-01", "alice", "chat", "trace"
    )  # fmt: skip
    assert (fact.started_at, fact.latency_us, fact.ttft_us) == (batches.STARTED, 2_000_000, 500_000)
    assert (fact.streaming, fact.failed, fact.status_code) == (True, False, 200)
    assert (fact.input_tokens, fact.output_tokens, fact.cache_read_tokens) == (100, 20, 40)
    assert (fact.reasoning_tokens, fact.cache_write_tokens, fact.reported_cost) == (None, None, None)
    assert fact.metadata == {"session_id": "s-1", "tags": "a,b", "feature": "faq", "step": "3"}
    batch = IngestBatch.objects.get()
    assert (batch.source, batch.accepted, batch.key is not None) == ("langfuse", 1, True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("split", [False, True])
def test_neither_order_nor_borders_of_batches_matter(
    client: Client, headers: dict[str, str], order: tuple[int, ...], split: bool
) -> None:
    events = [trace(), created(metadata={"a": "1", "b": "1"}), ended(metadata={"b": "2"})]
    for part in [[events[place]] for place in order] if split else [[events[place] for place in order]]:
        assert post(client, headers, *part).json()["errors"] == []
    fact = stored()["call"]
    assert (str(fact.model), str(fact.user), fact.latency_us) == ("gpt-4o-2026-01-01", "alice", 2_000_000)
    assert fact.metadata == {"a": "1", "b": "2"}
    assert outcomes() == {"accepted": 1}


def test_the_latest_event_wins_and_null_says_nothing(client: Client, headers: dict[str, str]) -> None:
    late, early = ended(second=3, model="late"), ended(second=1, model="early", endTime=at(9))
    post(client, headers, late, created(), early, ended(second=4, model=None, endTime=None, usageDetails=None), trace())
    fact = stored()["call"]
    assert (str(fact.model), fact.latency_us, fact.input_tokens) == ("late", 3_000_000, 100)


def test_at_one_instant_an_update_beats_a_creation(client: Client, headers: dict[str, str]) -> None:
    post(client, headers, trace(), ended(second=0, model="update", endTime=at(1)), created(model="creation"))
    assert str(stored()["call"].model) == "update"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"usageDetails": {"input": 10, "output": 4, "cache_read_input_tokens": 6}}, (16, 4, 6)),
        ({"usageDetails": {"input_tokens": 10, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 6}}},
         (10, 4, 6)),
        ({"usageDetails": {"input": 1, "output": 2}, "usage": {"input": 8, "output": 9}}, (1, 2, None)),
        ({"usageDetails": None, "usage": {"input": 8, "output": 9, "total": 17, "unit": "TOKENS"}}, (8, 9, None)),
        ({"usageDetails": {}, "usage": {"promptTokens": 8, "completionTokens": 9}}, (8, 9, None)),
        ({"usageDetails": None, "usage": {"input": 800, "output": 9, "unit": "CHARACTERS"}}, (None, None, None)),
        ({"usageDetails": None, "usage": {"input": 0, "output": None}}, (0, None, None)),
        ({"usageDetails": {"total": 5}}, (None, None, None)),
        ({"usageDetails": None}, (None, None, None)),
    ],
)  # fmt: skip
def test_usage(client: Client, headers: dict[str, str], said: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    post(client, headers, trace(), created(), ended(**said))
    fact = stored()["call"]
    assert (fact.input_tokens, fact.output_tokens, fact.cache_read_tokens) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"costDetails": {"input": 0.001, "output": 0.002, "total": 0.0031}}, 3_100_000_000),
        ({"costDetails": {"input": 0.001, "output": 0.002}}, 3_000_000_000),
        ({"usage": {"inputCost": 0.001, "outputCost": 0.002}}, 3_000_000_000),
        ({"usage": {"inputCost": 0.001, "totalCost": 0.0025}, "costDetails": {"total": 0.5}}, 500_000_000_000),
        ({"costDetails": {"total": 0}}, None),
    ],
)
def test_costs(client: Client, headers: dict[str, str], said: dict[str, Any], expected: int | None) -> None:
    post(client, headers, trace(), created(), ended(**said))
    assert stored()["call"].reported_cost == expected


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [
        ({"level": "ERROR", "statusMessage": ERROR}, 429, ERROR),
        ({"level": "ERROR", "statusMessage": "500 broken"}, 500, "500 broken"),
        ({"level": "ERROR", "statusMessage": "no idea"}, None, "no idea"),
        ({"level": "ERROR"}, None, None),
    ],
)
def test_errors(
    client: Client, headers: dict[str, str], said: dict[str, Any], status: int | None, message: str | None
) -> None:
    costs: dict[str, Any] = {"usageDetails": None, "costDetails": {"input": 0.0, "output": 0.0, "total": 0.0}}
    post(client, headers, trace(), created(level="DEFAULT"), ended(**said, **costs))
    fact = stored()["call"]
    assert (fact.failed, fact.status_code, str(fact.error_type), fact.error_message) == (True, status, "error", message)
    assert (fact.input_tokens, fact.reported_cost) == (None, None)


@pytest.mark.parametrize(
    ("kind", "more", "operation"),
    [
        ("embedding-create", {}, "embeddings"),
        ("observation-create", {"type": "EMBEDDING"}, "embeddings"),
        ("observation-create", {"type": "GENERATION"}, "chat"),
        ("observation-update", {"type": "GENERATION"}, "chat"),
    ],
)
def test_kinds_of_calls(
    client: Client, headers: dict[str, str], kind: str, more: dict[str, str], operation: str
) -> None:
    post(client, headers, trace(), event(kind, 1, id="call", startTime=at(0), endTime=at(1), traceId="trace", **more))
    assert stored()["call"].operation == operation


@pytest.mark.parametrize(
    "kind",
    ["span-create", "span-update", "event-create", "score-create", "sdk-log", "tool-create", "agent-update",
     "observation-create"],
)  # fmt: skip
def test_what_is_no_call_is_taken_and_ignored(client: Client, headers: dict[str, str], kind: str) -> None:
    body = {"id": "call", "traceId": "trace", "startTime": at(0), "endTime": at(1), "type": "SPAN"}
    answer = post(client, headers, event(kind, 1, **body)).json()
    assert (len(answer["successes"]), answer["errors"]) == (1, [])
    assert not LLMRequest.objects.exists()
    assert not LangfuseObservation.objects.exists()
    assert not IngestBatch.objects.exists()


def test_the_user_of_the_call_itself(client: Client, headers: dict[str, str]) -> None:
    post(client, headers, created(user_id="bob"), ended())
    assert str(stored()["call"].user) == "bob"
    post(client, headers, trace(id="other"), created("second", traceId="other", user_id="bob"), ended("second"))
    assert str(stored()["second"].user) == "bob"  # the trace of its last event says nothing


def test_repeats_are_duplicates_and_later_words_conflicts(client: Client, headers: dict[str, str]) -> None:
    events = [trace(), created(), ended()]
    post(client, headers, *events)
    assert post(client, headers, *events).json()["errors"] == []
    assert outcomes() == {"accepted": 1, "duplicate": 1}
    assert post(client, headers, events[2]).json()["errors"] == []  # a part of it, alone
    assert outcomes() == {"accepted": 1, "duplicate": 2}
    assert post(client, headers, ended(second=5, model="o3")).json()["errors"] == []
    assert outcomes() == {"accepted": 1, "duplicate": 2, "conflict": 1}
    fact = stored()["call"]
    assert (str(fact.model), fact.latency_us) == ("gpt-4o-2026-01-01", 2_000_000)


def test_organizations_do_not_see_each_other(client: Client, headers: dict[str, str], rival: Organization) -> None:
    rivals = make.bearer(make.key(rival, "ingest"))
    post(client, rivals, trace(userId="rival"), created(), trace(userId="rival", id="their-trace"))
    post(client, headers, created(traceId="their-trace"), ended(traceId="their-trace"))
    assert not LLMRequest.objects.exists()
    assert "end" not in LangfuseObservation.objects.get(organization=rival).state
    post(client, headers, trace(id="their-trace"))
    (fact,) = LLMRequest.objects.all()
    assert (fact.organization.slug, str(fact.user)) == ("acme", "alice")
    post(client, rivals, ended())
    assert {(one.organization.slug, str(one.user)) for one in LLMRequest.objects.all()} == {
        ("acme", "alice"), ("rival", "rival")
    }  # fmt: skip


def test_gzip(client: Client, headers: dict[str, str]) -> None:
    body = gzip.compress(json.dumps({"batch": [trace(), created(), ended()]}).encode())
    answer: Any = client.post(
        PATH, body, content_type="application/json", headers=headers | {"Content-Encoding": "gzip"}
    )
    assert (answer.status_code, len(answer.json()["successes"])) == (207, 3)
    assert list(stored()) == ["call"]


def test_units_and_the_usage_object_travel_with_the_call(client: Client, headers: dict[str, str]) -> None:
    """Numbers alone: what a usage object says in words is dropped before it waits for the end of its call."""
    usage = {
        "input_tokens": 12,
        "output_tokens": 6,
        "cache_read_input_tokens": 30,
        "server_tool_use": {"web_search_requests": 2},
        "note": "a secret prompt",
    }
    post(client, headers, trace(), created(usageDetails=usage))
    assert "secret" not in str(list(LangfuseObservation.objects.values_list("state", flat=True)))
    post(client, headers, ended(usageDetails=None))
    fact = stored()["call"]
    assert (fact.input_tokens, fact.units) == (42, {"web_search": 2})
    assert fact.usage == {name: value for name, value in usage.items() if name != "note"}
