"""What is peculiar to one product: variants of its rows."""

from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats.exports.base import operation_of
from tests.ingestion.exports.rows import PROMPT, SAMPLES, as_csv, as_lines, one, read

START, END = "2026-11-23T09:23:10.066Z", "2026-11-23T09:23:10.784Z"
CHEAP = {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}
ANTHROPIC = {"usage": {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": 30}}
OUTCOME = ("status_code", "error_type", "error_message")
IN, READ, WRITE = "input_tokens", "cache_read_tokens", "cache_write_tokens"


def check(name: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    record = one(name, SAMPLES[name](**fields))
    assert {field: getattr(record, field) for field in expected} == expected


def outcome(status: int | None, kind: str | None, message: str | None = None) -> dict[str, Any]:
    return dict(zip(OUTCOME, (status, kind, message), strict=True))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"completionStartTime": "2026-11-23T09:23:10.784000Z"}, {"streaming": False, "ttft_ms": None}),
        ({"completionStartTime": None}, {"streaming": None, "ttft_ms": None}),
        ({"endTime": None, "request_duration_ms": 700}, {"latency_ms": 700.0, "streaming": None}),
        ({"endTime": "2026-11-23T09:23:09Z"}, {"latency_ms": None}),
        ({"startTime": "2026-11-23 10:23:10.066+01", "endTime": "2026-11-23 09:23:10.784"}, {"latency_ms": 718.0}),
        ({"metadata": None}, {"virtual_account": "0992", "team": "team-search", "user_email": None}),
        ({"metadata": {"user_api_key_team_alias": None}}, {"team": "team-search"}),
        (
            {"cache_hit": "True"},
            {"metadata": {"tags": "prod", "end_user": "cust-1", "gateway_cache": "hit", "feature": "faq"}},
        ),
        ({"spend": "1.35e-05"}, {"reported_cost_usd": Decimal("0.0000135")}),
        ({"status": "failure", "model_id": ""}, {"model": None, "provider": None, "virtual_model": "chat-default"}),
        ({"status": "failure"}, {"model": "openai/gpt-4o-mini"} | outcome(None, "error")),
        (
            {
                "metadata": {
                    "status": "failure",
                    "error_information": {
                        "error_code": "429",
                        "error_class": "RateLimitError",
                        "error_message": "slow",
                    },
                },
                "status": None,
            },
            outcome(429, "RateLimitError", "slow"),
        ),
        ({"metadata": {"usage_object": {"cache_creation_input_tokens": 6}}}, {WRITE: 6, READ: None}),
    ],
)
def test_litellm_spend(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("litellm-spend", fields, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cancelled": "true"}, outcome(499, "cancelled")),
        ({"provider_name": "Google"}, {"provider": "google-vertex"}),
        ({"provider_name": "Google AI Studio"}, {"provider": "google"}),
        ({"provider_name": "Amazon Bedrock"}, {"provider": "aws"}),
        ({"provider_name": ""}, {"provider": None}),
        ({"streamed": "false"}, {"streaming": False}),
        (
            {"created_at": "2026-11-23 10:23:10.066+01:00"},
            {"started_at": one("openrouter", SAMPLES["openrouter"]()).started_at},
        ),
    ],
)
def test_openrouter(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("openrouter", fields, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"total_tokens": 72 + 9 + 36 + 5}, {IN: 72 + 36 + 5}),
        ({"total_tokens": None}, {IN: 72}),
        ({"delay_ms": None}, {"latency_ms": 718.0}),
        ({"delay_ms": None, "response_created_at": START.replace("10.066", "09.000")}, {"latency_ms": None}),
        ({"time_to_first_token": 718}, {"ttft_ms": None, "streaming": None}),
        ({"time_to_first_token": 0}, {"ttft_ms": None, "streaming": None}),
        ({"response_status": 429}, outcome(429, "http_429")),
        ({"response_status": -3}, outcome(499, "client_cancelled")),
        ({"response_status": -2}, outcome(None, None)),
        ({"response_status": -4}, outcome(None, "error")),
        ({"response_status": 999}, outcome(None, "error")),
        ({"cache_reference_id": "5f0c"}, {"metadata": {"feature": "faq", "level": "3", "gateway_cache": "hit"}}),
        ({"response_model": None}, {"model": "gpt-4o-mini"}),
        ({"request_path": "/v1/embeddings"}, {"operation": "embeddings"}),
        ({"request_path": "/v1/files?key=x"}, {"operation": "other"}),
        ({"request_path": None}, {"operation": "chat"}),
        ({"request_id": None}, {"request_id": "resp-1"}),
        ({"request_properties": None, "properties": {"a": "b"}}, {"metadata": {"a": "b"}}),
    ],
)
def test_helicone(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("helicone", fields, expected)


def test_the_csv_of_helicones_tool() -> None:
    """It has few columns; `latency` and `cost` are always empty there, in units that nobody says, and not read."""
    sample = SAMPLES["helicone"]()
    names = ("response_id", "response_created_at", "response_status", "request_created_at", "request_body")
    row = {name: sample[name] for name in names} | {"model": "gpt-4o", "latency": "9", "cost": "9000000"}
    (record,) = read("helicone", as_csv(row))
    assert (record.request_id, record.model, record.latency_ms) == ("resp-1", "gpt-4o", 718.0)  # type: ignore[union-attr]
    assert record.reported_cost_usd is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cost": 100}, {"reported_cost_usd": Decimal(1)}),
        ({"cost_currency": "EUR"}, {"reported_cost_usd": None}),
        ({"response": CHEAP}, {IN: 7, READ: None}),
        ({"response": {"body": ANTHROPIC}}, {IN: 40, READ: 30}),
        ({"response": None, "response.body": ANTHROPIC}, {IN: 40, READ: 30}),
        ({"response": PROMPT}, {IN: 72, READ: None}),
        ({"response": {"usage": {"seconds": 3}}}, {IN: 72, READ: None}),
        ({"cache_status": "SEMANTIC HIT"}, {"metadata": {"feature": "faq", "gateway_cache": "hit"}}),
        ({"cache_status": "HIT"}, {"metadata": {"feature": "faq", "gateway_cache": "hit"}}),
        ({"is_success": 0, "response_status_code": 429}, outcome(429, "http_429")),
        ({"is_success": 0, "response_status_code": None}, outcome(None, "error")),
        ({"is_success": None, "response_status_code": 500}, outcome(500, "http_500")),
        ({"is_success": True, "response_status_code": None}, outcome(200, None)),
        ({"metadata": {"_user": "bob", "feature": "x"}}, {"user": "bob", "metadata": {"feature": "x"}}),
        ({"metadata": None, "metadata.key": ["_user"], "metadata.value": ["eve"]}, {"user": "eve", "metadata": {}}),
        ({"metadata": {"key": "x", "value": "y"}}, {"metadata": {"key": "x", "value": "y"}}),
        ({"stream_mode": True}, {"streaming": True}),
        ({"retry_success_count": 0}, {"attempt": 1}),
        ({"retry_success_count": None}, {"attempt": None}),
        ({"request_url": "https://api.cohere.com/v2/rerank"}, {"operation": "rerank"}),
    ],
)
def test_portkey(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("portkey", fields, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "EMBEDDING"}, {"operation": "embeddings"}),
        ({"type": None}, {"operation": "chat"}),
        ({"end_time": None}, {"latency_ms": None}),
        ({"end_time": "2026-11-23 09:23:09"}, {"latency_ms": None}),
        ({"completion_start_time": None}, {"streaming": None, "ttft_ms": None}),
        (
            {"level": "ERROR", "status_message": "Error code: 429 - slow"},
            outcome(429, "error", "Error code: 429 - slow"),
        ),
        ({"level": "ERROR"}, outcome(None, "error")),
        ({"level": "WARNING", "status_message": "note"}, outcome(200, None)),
        ({"total_cost": None}, {"reported_cost_usd": Decimal("0.0000135")}),
        ({"total_cost": None, "cost_details": {"input": 1, "total": 3}}, {"reported_cost_usd": Decimal(3)}),
        ({"usage_details": {"input": "31", "output": "5"}}, {IN: 31, "output_tokens": 5}),
        ({"usage_details": {"prompt_tokens": 7, "completion_tokens": 1}}, {IN: 7, "output_tokens": 1}),
        ({"usage_details": {}, "prompt_tokens": 7, "completion_tokens": 1}, {IN: 7, "output_tokens": 1}),
        ({"usage_details": None, "usage": {"input": 7, "output": 1, "unit": "TOKENS"}}, {IN: 7, "output_tokens": 1}),
        ({"usage_details": None, "usage": {"input": 7, "output": 1, "unit": "CHARACTERS"}}, {IN: None}),
        ({"metadata": PROMPT}, {"metadata": {"tags": "eu,faq", "environment": "prod"}}),
        ({"id": "b" * 16, "trace_id": "a" * 32}, {"request_id": f"{'a' * 32}:{'b' * 16}", "span_id": "b" * 16}),
    ],
)
def test_langfuse(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("langfuse", fields, expected)


def test_langfuse_has_two_spellings() -> None:
    def camel(name: str) -> str:
        head, *rest = name.split("_")
        return head + "".join(part.capitalize() for part in rest)

    snake = SAMPLES["langfuse"]()
    row = {camel(name): value for name, value in snake.items()}
    assert "usageDetails" in row
    assert read("langfuse", as_lines(row)) == read("langfuse", as_csv(row)) == [one("langfuse", snake)]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("langfuse", {"type": "SPAN"}),
        ("langfuse", {"type": "TOOL"}),
        ("langfuse", {"type": None, "provided_model_name": None}),
        ("envoy", {"gen_ai.request.model": None, "gen_ai.request.model_override": "-", "x-envoy-origin-path": "/mcp"}),
    ],
)
def test_rows_that_are_no_calls_are_skipped(name: str, fields: dict[str, Any]) -> None:
    skipped, counted = SAMPLES[name](**fields), SAMPLES[name]()
    assert read(name, as_lines(skipped, counted)) == [one(name, counted)]
    assert name != "langfuse" or len(read(name, as_csv(skipped, counted))) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"gen_ai.response.model": "gpt-4o-mini-2024"}, {"model": "gpt-4o-mini-2024", "virtual_model": "chat-default"}),
        ({"gen_ai.request.model_override": "-"}, {"model": "chat-default"}),
        ({"response_code": 0, "response_flags": "DC"}, outcome(None, "DC")),
        (
            {"response_code": 503, "response_flags": "UF", "upstream_transport_failure_reason": "reset"},
            outcome(503, "UF", "reset"),
        ),
        (
            {"response_code": 429, "response_flags": "-", "response_code_details": "request_rate_limited"},
            outcome(429, "request_rate_limited"),
        ),
        ({"response_code": 500, "response_flags": "-", "response_code_details": "-"}, outcome(500, "http_500")),
        ({"response_code": 0, "response_code_details": None}, outcome(None, "error")),
        ({"response_flags": "UF"}, outcome(200, None)),
        ({"gen_ai.usage.input_tokens": "-"}, {IN: None}),
        ({"x-envoy-origin-path": "/v1/embeddings"}, {"operation": "embeddings"}),
        ({"x-envoy-origin-path": "/v1/unheard/of"}, {"operation": "other"}),
        ({"traceparent": "-"}, {"trace_id": None, "span_id": None}),
        ({"gen_ai.request.model": None, "gen_ai.request.model_override": None}, {"model": None, "operation": "chat"}),
    ],
)
def test_envoy(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    check("envoy", fields, expected)


def test_the_older_names_of_envoys_example() -> None:
    names = {"genai_model_name": "chat-default", "genai_model_name_override": "gpt-4o-mini"}
    line = {name: value for name, value in SAMPLES["envoy"]().items() if not name.startswith("gen_ai.")}
    record = one("envoy", line | names | {"genai_tokens_input": 15, "genai_tokens_output": 7})
    assert (record.model, record.virtual_model) == ("gpt-4o-mini", "chat-default")
    assert (record.input_tokens, record.output_tokens) == (15, 7)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/chat/completions", "chat"),
        ("/v1/completions", "text_completion"),
        ("/anthropic/v1/messages?beta=true", "chat"),
        ("/v1/responses/", "chat"),
        ("/v1beta/models/gemini-2.5-pro:streamGenerateContent?key=x", "chat"),
        ("/model/anthropic.claude/converse-stream", "chat"),
        ("/v1beta/models/text-embedding-004:batchEmbedContents", "embeddings"),
        ("/v1/images/generations", "image_generation"),
        ("/v1/audio/translations", "transcription"),
        ("/v1/audio/speech", "speech"),
        ("/v1/moderations", "moderation"),
        ("/mycompletions", None),
        ("/v1/models", None),
        (None, None),
    ],
)
def test_operations_of_paths(path: str | None, operation: str | None) -> None:
    assert operation_of(path) == operation
