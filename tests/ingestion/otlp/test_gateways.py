"""A whole record of the gateways LiteLLM and TrueFoundry, out of spans as they send them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats.otlp.span import Span
from ingestion.records import RequestRecord
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import SERVICE, expected, span

LITELLM = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "chat-default",
    "gen_ai.response.model": "chat-default",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 72,
    "gen_ai.usage.output_tokens": 9,
    "gen_ai.usage.cache_read.input_tokens": 36,
    "gen_ai.usage.cache_creation.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "litellm.call_id": "call-1",
    "litellm.provider.model": "openai/gpt-4o-mini",
    "litellm.request.streaming": True,
    "litellm.request.route": "/v1/chat/completions",
    "litellm.metadata.user_api_key_user_id": "alice",
    "litellm.metadata.user_api_key_alias": "alice-laptop",
    "litellm.api_key.hash": "0992",
    "litellm.team.alias": "Search",
    "litellm.team.id": "team-search",
    "litellm.cost.total": 0.0000135,
    "litellm.metadata.feature": "faq",
    "litellm.metadata.level": 3,
}


def litellm(**attributes: Any) -> Span:
    return span(LITELLM | attributes, scope="litellm", resource=SERVICE)


def test_litellm() -> None:
    sent = litellm()
    assert bodies.record(sent) == expected(
        sent,
        request_id="call-1",
        model="openai/gpt-4o-mini",
        provider="openai",
        virtual_model="chat-default",
        user="alice",
        virtual_account="alice-laptop",
        team="Search",
        metadata=SERVICE | {"feature": "faq", "level": "3", "litellm.request.route": "/v1/chat/completions"},
        input_tokens=72,
        output_tokens=9,
        cache_read_tokens=36,
        cache_write_tokens=4,
        reasoning_tokens=3,
        ttft_ms=250.0,
        streaming=True,
        reported_cost_usd=Decimal("0.0000135"),
        operation="chat",
    )


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"litellm.call_id": ""}, {"request_id": f"{bodies.TRACE}:00f067aa0ba902b7"}),
        ({"litellm.metadata.user_api_key_alias": ""}, {"virtual_account": "0992"}),
        ({"litellm.team.alias": ""}, {"team": "team-search"}),
        ({"litellm.request.streaming": "", "llm.is_streaming": "False"}, {"streaming": False}),
        ({"litellm.provider.model": ""}, {"model": "chat-default", "virtual_model": None}),
        ({"litellm.cost.total": "", "gen_ai.usage.cost": 0.5}, {"reported_cost_usd": Decimal("0.5")}),
        (
            {"litellm.provider.error.code": "429", "error.type": "RateLimitError", "error.message": "slow down"},
            {"status_code": 429, "error_type": "RateLimitError", "error_message": "slow down"},
        ),
        ({"litellm.provider.error.code": "boom", "error.type": "InternalServerError"}, {"status_code": 500}),
    ],
)
def test_variants_of_litellm(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    sent = litellm(**fields)
    sent.span_id = "00f067aa0ba902b7"
    found = bodies.record(sent)
    assert {name: getattr(found, name) for name in changed} == changed


TRUEFOUNDRY = {
    "tfy.span_type": "Model",
    "tfy.model.name": "gpt-4o",
    "tfy.model.fqn": "openai-main/gpt-4o",
    "tfy.model.request_type": "ChatCompletion",
    "tfy.model.streaming": True,
    "tfy.model.metric.input_tokens": 120,
    "tfy.model.metric.output_tokens": 30,
    "tfy.model.metric.cache_read_input_tokens": 20,
    "tfy.model.metric.cache_creation_input_tokens": 10,
    "tfy.model.metric.latency_in_ms": 1_500.5,
    "tfy.model.metric.time_to_first_token_in_ms": 210.5,
    "tfy.model.metric.inter_token_latency_in_ms": 44.25,
    "tfy.model.metric.cost_in_usd": 0.0021,
    "tfy.request_cost": 0.5,
}
ROOT = {
    "tfy.span_type": "ChatCompletion",
    "tfy.request.model_name": "prod/chat",
    "tfy.request.created_by_subject": json.dumps({"subjectType": "user", "subjectSlug": "alice@example.com"}),
    "tfy.request.created_by_subject_teams": json.dumps(["Search", "Ads"]),
    "tfy.request.metadata": json.dumps({"feature": "faq", "nested": {"a": 1}}),
}


def test_truefoundry() -> None:
    root = span(ROOT)
    sent = span(TRUEFOUNDRY, parent_id=root.span_id, resource=SERVICE)
    assert bodies.record(root, sent) == expected(
        sent,
        model="gpt-4o",
        provider="openai-main",
        virtual_model="prod/chat",
        user="alice@example.com",
        team="Search",
        metadata=SERVICE | {"feature": "faq", "teams": "Search,Ads"},
        input_tokens=120,
        output_tokens=30,
        cache_read_tokens=20,
        cache_write_tokens=10,
        latency_ms=1_500.5,
        ttft_ms=210.5,
        itl_ms=44.25,
        streaming=True,
        reported_cost_usd=Decimal("0.0021"),
        attempt=1,
    )


def test_attempts_of_truefoundry() -> None:
    """In the order of their start, whatever the order in the body; after a success the next one is no retry."""
    root, other = span(ROOT), span(ROOT)

    def model(seconds: int, *, root: Span, error: str = "") -> Span:
        fields = {"start_ns": bodies.START_NS + seconds * 10**9, "end_ns": bodies.START_NS + (seconds + 1) * 10**9}
        return span(TRUEFOUNDRY | {"tfy.error_type": error}, parent_id=root.span_id, **fields)

    tries = [model(0, root=root, error="Timeout"), model(1, root=root, error="RateLimitError"), model(2, root=root)]
    later, elsewhere, alone = model(3, root=root), model(1, root=other), span(TRUEFOUNDRY)
    found = bodies.records(later, root, *reversed(tries), other, elsewhere, alone)
    attempts = {one.span_id: one.attempt for one in found if isinstance(one, RequestRecord)}
    expected_attempts = [1, 2, 3, 1, 1, None]
    assert [attempts[one.span_id] for one in (*tries, later, elsewhere, alone)] == expected_attempts


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"tfy.model.metric.cost_in_usd": ""}, {"reported_cost_usd": Decimal("0.5")}),
        ({"tfy.model.metric.cost_in_usd": 0}, {"reported_cost_usd": Decimal(0)}),
        ({"tfy.model.metric.latency_in_ms": ""}, {"latency_ms": 2_000.0}),
        ({"http.response.status_code": 429}, {"status_code": 429, "error_type": "error"}),
        (
            {"tfy.error_type": "RateLimitError", "tfy.error_message": "429 slow down"},
            {"status_code": 429, "error_type": "RateLimitError", "error_message": "429 slow down"},
        ),
        ({"tfy.error_type": "RateLimitError"}, {"status_code": 429, "error_type": "RateLimitError"}),
        ({"tfy.error_message": "no"}, {"status_code": None, "error_type": "error", "error_message": "no"}),
        ({"tfy.model.request_type": "Embedding"}, {"operation": "embeddings"}),
        ({"tfy.request.created_by_subject_teams": "Search"}, {"team": "Search", "metadata": {}}),
        (
            {"tfy.request.created_by_subject": '{"subjectType": "virtualaccount", "subjectSlug": "bot"}'},
            {"user": None, "virtual_account": "bot"},
        ),
        ({"tfy.request.created_by_subject": "virtualaccount:bot"}, {"user": None, "virtual_account": "bot"}),
        ({"tfy.request.created_by_subject": "user:alice"}, {"user": "alice", "virtual_account": None}),
    ],
)
def test_variants_of_truefoundry(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    found = bodies.record(span(TRUEFOUNDRY | fields))
    assert {name: getattr(found, name) for name in changed} == changed
