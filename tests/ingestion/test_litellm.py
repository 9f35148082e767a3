"""LiteLLM's payloads, on records of the shape that LiteLLM 1.106 sends."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats import LITELLM, UnsupportedError
from ingestion.records import Code, RejectedError, RequestRecord

START = 1_795_425_790.066818


def payload(**fields: Any) -> dict[str, Any]:
    """A success; `metadata` and `error_information` are merged into the defaults."""
    metadata = {
        "user_api_key_hash": "0992",
        "user_api_key_alias": "alice-laptop",
        "user_api_key_user_id": "alice",
        "user_api_key_user_email": "alice@example.org",
        "user_api_key_team_id": "team-search",
        "user_api_key_team_alias": "Search",
        "user_api_key_request_route": "/v1/chat/completions",
        "requester_metadata": {"feature": "faq", "tags": ["x"], "headers": {"host": "h"}, "level": 3},
        "user_api_key_auth_metadata": {"cost_center": "CC-100"},
        "spend_logs_metadata": None,
        "usage_object": {
            "prompt_tokens": 72,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 36, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    }
    defaults: dict[str, Any] = {
        "id": "chatcmpl-1",
        "litellm_call_id": "call-1",
        "trace_id": "t-1",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": None,
        "status": "success",
        "custom_llm_provider": "openai",
        "startTime": START,
        "endTime": START + 0.717908,
        "completionStartTime": START + 0.717908,
        "response_time": 0.717908,
        "model": "openai/gpt-4o-mini",
        "model_group": "chat-default",
        "model_id": "target-mini",
        "response_cost": 1.35e-05,
        "cost_breakdown": {"service_tier": None},
        "prompt_tokens": 72,
        "completion_tokens": 9,
        "request_tags": ["prod", "User-Agent: OpenAI"],
        "end_user": "cust-1",
        "messages": [{"role": "user", "content": "a secret prompt"}],
        "response": {"choices": ["a secret answer"], "service_tier": "priority"},
        "model_parameters": {"stream": False},
        "hidden_params": {"additional_headers": {"x-litellm-attempted-retries": 1, "x-litellm-attempted-fallbacks": 2}},
        "error_str": None,
        "error_information": {"error_code": "", "error_class": ""},
    }
    return defaults | fields | {"metadata": metadata | fields.get("metadata", {})}


def failure(*, error: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    zeros = {"status": "failure", "prompt_tokens": 0, "completion_tokens": 0, "response_cost": 0.0}
    return payload(**zeros, metadata={"usage_object": {}}, error_information=error or {}, **fields)


def read(*payloads: dict[str, Any]) -> list[RequestRecord | RejectedError]:
    return [item for _, item in LITELLM.read(json.dumps(payloads).encode())]


def one(sent: dict[str, Any]) -> RequestRecord:
    (record,) = read(sent)
    assert isinstance(record, RequestRecord), record
    return record


def test_a_success() -> None:
    assert one(payload()) == RequestRecord(
        request_id="call-1",
        started_at=datetime(2026, 11, 23, 9, 23, 10, 66_818, tzinfo=UTC),
        model="openai/gpt-4o-mini",
        provider="openai",
        virtual_model="chat-default",
        user="alice",
        user_email="alice@example.org",
        virtual_account="alice-laptop",
        team="Search",
        metadata={"feature": "faq", "level": "3", "cost_center": "CC-100", "tags": "prod", "end_user": "cust-1"},
        input_tokens=72,
        output_tokens=9,
        cache_read_tokens=36,
        reasoning_tokens=4,
        audio_input_tokens=0,
        usage=payload()["metadata"]["usage_object"],
        latency_ms=717.908,
        streaming=False,
        status_code=200,
        reported_cost_usd=Decimal("0.0000135"),
        service_tier="priority",
        operation="completion",
        attempt=4,
        trace_id="t-1",
    )


def test_nothing_of_prompts_and_answers_is_kept() -> None:
    assert "secret" not in repr(one(payload()))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"litellm_call_id": None}, {"request_id": "chatcmpl-1"}),
        ({"litellm_call_id": "", "id": None}, {"request_id": ""}),
        ({"metadata": {"user_api_key_user_id": None}}, {"user": "alice@example.org"}),
        ({"metadata": {"user_api_key_alias": None}}, {"virtual_account": "0992"}),
        ({"metadata": {"user_api_key_team_alias": ""}}, {"team": "team-search"}),
        ({"call_type": "aembedding"}, {"operation": "embedding"}),
        ({"call_type": "anthropic_messages"}, {"operation": "anthropic_messages"}),
        ({"call_type": None}, {"operation": "chat"}),
        ({"hidden_params": {}}, {"attempt": None}),
        ({"endTime": START - 1}, {"latency_ms": None}),
        ({"endTime": None}, {"latency_ms": None}),
        ({"response_cost": None}, {"reported_cost_usd": None}),
        ({"cost_breakdown": {"service_tier": "flex"}}, {"service_tier": "flex"}),
        ({"response": "text"}, {"service_tier": None}),
        ({"response": {"service_tier": "default"}}, {"service_tier": "standard"}),
        ({"metadata": {"usage_object": {"cache_read_input_tokens": 5}}}, {"cache_read_tokens": 5}),
        ({"metadata": {"usage_object": {"cache_creation_input_tokens": 6}}}, {"cache_write_tokens": 6}),
        ({"metadata": {"usage_object": None}}, {"cache_read_tokens": None, "input_tokens": 72, "usage": None}),
        (
            {"metadata": {"usage_object": {"prompt_tokens_details": {"image_tokens": 40, "cached_tokens": None}}}},
            {"image_input_tokens": 40, "image_output_tokens": None, "units": {}},
        ),
        (
            {"metadata": {"usage_object": {"completion_tokens_details": {"image_tokens": 5, "text_tokens": 4}}}},
            {"image_output_tokens": 5},
        ),
        (
            # As LiteLLM passes the images API on.
            {"metadata": {"usage_object": {"output_tokens": 9, "input_tokens_details": {"image_tokens": 0}}}},
            {"image_input_tokens": 0, "image_output_tokens": 9},
        ),
        (
            {"metadata": {"usage_object": {"server_tool_use": {"web_search_requests": 2}}}},
            {"units": {"web_search": 2}},
        ),
        (
            # Counted by Gemini's queries, of which not each is billed.
            {"metadata": {"usage_object": {"prompt_tokens_details": {"web_search_requests": 2}}}},
            {"units": {}},
        ),
        (
            {
                "metadata": {
                    "usage_object": {
                        "cache_creation_input_tokens": 6,
                        "prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 4}},
                    }
                }
            },
            {"cache_write_tokens": 6, "cache_write_1h_tokens": 4},
        ),
    ],
)
def test_variants(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    record = one(payload(**fields))
    assert {name: getattr(record, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("fields", "streaming", "ttft"),
    [
        ({"stream": True, "completionStartTime": START + 0.1}, True, 100.0),
        ({"model_parameters": {"stream": True}, "completionStartTime": START + 0.1}, True, 100.0),
        ({"stream": True, "completionStartTime": None}, True, None),
        ({"stream": None, "model_parameters": {}}, False, None),
        # Nothing was streamed: LiteLLM then repeats the end as the time of the first chunk.
        ({"stream": None}, False, None),
    ],
)
def test_streams(fields: dict[str, Any], streaming: bool | None, ttft: float | None) -> None:
    record = one(payload(**fields))
    assert (record.streaming, record.ttft_ms) == (streaming, ttft)


def test_gateway_cache_hits_are_marked() -> None:
    assert one(payload(cache_hit=True)).metadata["gateway_cache"] == "hit"
    assert "gateway_cache" not in one(payload(cache_hit=False)).metadata


@pytest.mark.parametrize(
    ("error", "text", "expected"),
    [
        ({"error_code": "429", "error_class": "RateLimitError"}, None, (429, "RateLimitError")),
        ({"error_code": "boom", "error_class": "InternalServerError"}, None, (500, "InternalServerError")),
        ({"error_code": "badreq", "error_class": "BadRequestError"}, None, (400, "BadRequestError")),
        (
            {"error_code": "", "error_class": "RouterRateLimitError", "normalized_error": "429_NO_HEALTHY_DEPLOYMENTS"},
            None,
            (429, "RouterRateLimitError"),
        ),
        ({"error_code": "", "normalized_error": "503_X"}, None, (503, "503_X")),
        ({"error_message": "Error code: 404 - no"}, None, (404, "error")),
        ({}, "400: {'error': 'Invalid model name'}", (400, "error")),
        ({"error_class": "Exception", "error_message": "invalid key"}, None, (None, "Exception")),
        ({"error_code": "999", "error_class": "Timeout"}, None, (408, "Timeout")),
        ({"error_message": "4000 tokens are too many"}, None, (None, "error")),
    ],
)
def test_errors(error: dict[str, Any], text: str | None, expected: tuple[int | None, str]) -> None:
    record = one(failure(error=error, error_str=text))
    assert (record.status_code, record.error_type) == expected
    assert record.error_message == (error.get("error_message") or text)


def test_failures_have_no_tokens_unless_some_were_generated() -> None:
    record = one(failure())
    assert (record.input_tokens, record.output_tokens, record.reported_cost_usd) == (None, None, Decimal("0.0"))
    broken = one(failure() | {"prompt_tokens": 900, "completion_tokens": 120})
    assert (broken.input_tokens, broken.output_tokens) == (900, 120)


@pytest.mark.parametrize(("group", "alias"), [("chat-default", "chat-default"), ("", "no-such-model")])
def test_a_call_that_reached_no_target_has_no_model(group: str, alias: str) -> None:
    record = one(failure(model="no-such-model", model_group=group, model_id=""))
    assert (record.model, record.provider, record.virtual_model) == (None, None, alias)
    reached = one(failure(model="gpt-4o", model_id="target"))
    assert (reached.model, reached.virtual_model) == ("gpt-4o", "chat-default")


def test_metadata_is_cut_rather_than_refused() -> None:
    many = {f"key-{number:03}": "v" * 300 for number in range(100)} | {"k" * 200: "v"}
    metadata = one(payload(cache_hit=True, metadata={"requester_metadata": many})).metadata
    assert len(metadata) == 64
    assert metadata["gateway_cache"] == "hit"
    assert set(map(len, metadata.values())) == {len("hit"), len("CC-100"), len("cust-1"), 256}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"startTime": None}, Code.MISSING, "startTime"),
        ({"startTime": "2026-11-24"}, Code.INVALID, "startTime"),
        ({"endTime": 1e20}, Code.INVALID, "endTime"),
        ({"prompt_tokens": "3"}, Code.INVALID, "usage"),
        ({"prompt_tokens": -3}, Code.NEGATIVE, "usage"),
    ],
)
def test_bad_payloads_are_refused_alone(fields: dict[str, Any], code: Code, field: str) -> None:
    bad, good = read(payload(**fields), payload())
    assert isinstance(bad, RejectedError)
    assert (bad.code, bad.field) == (code, field)
    assert isinstance(good, RequestRecord)


@pytest.mark.parametrize("value", [[], {}, 3, "text", None])
def test_loose_types_never_break(value: object) -> None:
    for field in payload():
        assert len(read(payload() | {field: value})) == 1


def test_lines_are_read_like_arrays() -> None:
    lines = json.dumps(payload()) + "\n" + json.dumps(payload(litellm_call_id="call-2"))
    found = [item.request_id for _, item in LITELLM.read(lines.encode()) if isinstance(item, RequestRecord)]
    assert found == ["call-1", "call-2"]


def test_version_1_bodies_are_refused_with_the_name_of_the_switch() -> None:
    texts = {name: str(value) for name, value in payload().items()}
    with pytest.raises(UnsupportedError, match="generic_api_use_v1"):
        read(texts)
