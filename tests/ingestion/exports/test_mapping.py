"""Every field that each export fills, with its unit: the whole record of one row."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingestion.records import RequestRecord
from tests.ingestion.exports.rows import CSV, SAMPLES, as_csv, langfuse, one, portkey, read, spend

START = datetime(2026, 11, 23, 9, 23, 10, 66_000, tzinfo=UTC)
COST = Decimal("0.0000135")
COMMON: dict[str, Any] = {"started_at": START, "user": "alice", "latency_ms": 718.0, "reported_cost_usd": COST}
TOKENS = {"input_tokens": 72, "output_tokens": 9, "cache_read_tokens": 36}
EXPECTED: dict[str, RequestRecord] = {
    "litellm-spend": RequestRecord(
        **(COMMON | TOKENS),
        request_id="chatcmpl-1",
        model="openai/gpt-4o-mini",
        provider="openai",
        virtual_model="chat-default",
        user_email="alice@example.org",
        virtual_account="alice-laptop",
        team="Search",
        metadata={"feature": "faq", "tags": "prod", "end_user": "cust-1"},
        reasoning_tokens=4,
        audio_input_tokens=0,
        usage=spend()["metadata"]["additional_usage_values"],
        ttft_ms=100.0,
        streaming=True,
        status_code=200,
        service_tier="flex",
        operation="completion",
        trace_id="t-1",
    ),
    "openrouter": RequestRecord(
        **(COMMON | TOKENS),
        request_id="gen-1",
        model="openai/gpt-4o-mini",
        provider="openai",
        virtual_account="faq-bot",
        metadata={"app_name": "Helpdesk", "variant": "standard"},
        reasoning_tokens=4,
        ttft_ms=100.0,
        streaming=True,
        status_code=200,
    ),
    "helicone": RequestRecord(
        **(COMMON | TOKENS),
        request_id="req-1",
        model="gpt-4o-mini-2024-07-18",
        provider="openai",
        virtual_model="chat-default",
        metadata={"feature": "faq", "level": "3"},
        cache_write_tokens=5,
        audio_input_tokens=2,
        audio_output_tokens=1,
        ttft_ms=100.0,
        streaming=True,
        status_code=200,
    ),
    "portkey": RequestRecord(
        **(COMMON | TOKENS),
        request_id="pk-1",
        model="gpt-4o-mini",
        provider="openai",
        virtual_model="chat-default",
        virtual_account="faq-bot",
        metadata={"feature": "faq"},
        reasoning_tokens=4,
        usage=portkey()["response"]["usage"],
        streaming=False,
        status_code=200,
        attempt=2,
        trace_id="t-1",
    ),
    "langfuse": RequestRecord(
        **(COMMON | TOKENS),
        request_id="obs-1",
        model="gpt-4o-mini",
        metadata={"feature": "faq", "tags": "eu,faq", "environment": "prod"},
        cache_write_tokens=5,
        cache_write_1h_tokens=5,
        reasoning_tokens=4,
        usage=langfuse()["usage_details"],
        ttft_ms=100.0,
        streaming=True,
        status_code=200,
        trace_id="t-1",
    ),
    "envoy": RequestRecord(
        **(COMMON | TOKENS | {"reported_cost_usd": None}),
        request_id="83b63da3-45a9",
        model="gpt-4o-mini",
        virtual_model="chat-default",
        virtual_account="faq-bot",
        team="Search",
        cache_write_tokens=5,
        reasoning_tokens=4,
        status_code=200,
        trace_id="a" * 32,
        span_id="b" * 16,
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_row_fills_exactly_these_fields(name: str) -> None:
    assert one(name, SAMPLES[name]()) == EXPECTED[name]


@pytest.mark.parametrize("name", CSV)
def test_a_row_is_the_same_as_csv(name: str) -> None:
    assert read(name, as_csv(SAMPLES[name]())) == [EXPECTED[name]]


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_empty_or_absent_is_unknown_and_never_zero(name: str) -> None:
    needed = {"request_id", "startTime", "spend", "generation_id", "created_at", "model_permaslug", "ai_model"}
    needed |= {"request_created_at", "response_status", "id", "trace_id", "start_time", "type", "x-request-id"}
    needed |= {"gen_ai.request.model", "response_code", "status", "level"}
    sample = SAMPLES[name]()
    bare = {key: value for key, value in sample.items() if key in needed}
    empty = {key: value if key in needed else "" for key, value in sample.items()}
    nulls = {key: value if key in needed else None for key, value in sample.items()}
    record = one(name, bare)
    assert one(name, empty) == one(name, nulls) == record
    counts = (record.input_tokens, record.output_tokens, record.cache_read_tokens, record.reasoning_tokens)
    assert (*counts, record.latency_ms, record.ttft_ms, record.streaming) == (None,) * 7


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("litellm-spend", {"prompt_tokens": 0, "completion_tokens": 0}),
        ("openrouter", {"tokens_prompt": "0", "tokens_completion": "0"}),
        ("helicone", {"prompt_tokens": 0, "completion_tokens": 0}),
        ("portkey", {"req_units": 0, "res_units": 0, "response": None}),
        ("langfuse", {"usage_details": {"input": 0, "output": 0}}),
        ("envoy", {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}),
    ],
)
def test_a_zero_of_a_success_is_a_zero(name: str, fields: dict[str, Any]) -> None:
    record = one(name, SAMPLES[name](**fields))
    assert (record.input_tokens, record.output_tokens) == (0, 0)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("litellm-spend", {"prompt_tokens": 0, "completion_tokens": 0, "status": "failure"}),
        ("openrouter", {"tokens_prompt": "0", "tokens_completion": "0", "cancelled": "true"}),
        ("helicone", {"prompt_tokens": 0, "completion_tokens": 0, "response_status": 500}),
        ("portkey", {"req_units": 0, "res_units": 0, "response": None, "is_success": 0}),
        ("langfuse", {"usage_details": {"input": 0, "output": 0}, "level": "ERROR"}),
        ("envoy", {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0, "response_code": 503}),
    ],
)
def test_zeros_of_a_failure_are_unknown(name: str, fields: dict[str, Any]) -> None:
    record = one(name, SAMPLES[name](**fields))
    assert (record.input_tokens, record.output_tokens) == (None, None)
