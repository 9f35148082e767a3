"""Rows as the products export them, and how tests read them."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from ingestion.formats import FORMATS
from ingestion.formats.mapping import PLAIN, Reading
from ingestion.records import RejectedError, RequestRecord

PROMPT = "a secret prompt"
Item = RequestRecord | RejectedError


def spend(**more: Any) -> dict[str, Any]:
    """A row of LiteLLM_SpendLogs of a stream, as `/spend/logs` answers it."""
    metadata = {
        "user_api_key_alias": "alice-laptop",
        "user_api_key_team_alias": "Search",
        "user_api_key_user_email": "alice@example.org",
        "spend_logs_metadata": {"feature": "faq"},
        "additional_usage_values": {
            "prompt_tokens_details": {"cached_tokens": 36, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
        "cost_breakdown": {"service_tier": "flex"},
        "requester_ip_address": "192.0.2.7",
    }
    return {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "api_key": "0992",
        "spend": 1.35e-05,
        "total_tokens": 81,
        "prompt_tokens": 72,
        "completion_tokens": 9,
        "startTime": "2026-11-23T09:23:10.066000Z",
        "endTime": "2026-11-23T09:23:10.784000Z",
        "completionStartTime": "2026-11-23T09:23:10.166000Z",
        "model": "openai/gpt-4o-mini",
        "model_id": "target-mini",
        "model_group": "chat-default",
        "custom_llm_provider": "openai",
        "user": "alice",
        "team_id": "team-search",
        "end_user": "cust-1",
        "metadata": metadata,
        "cache_hit": "False",
        "request_tags": ["prod", "User-Agent: OpenAI"],
        "session_id": "t-1",
        "status": "success",
        "messages": [{"role": "user", "content": PROMPT}],
        "response": {"choices": [PROMPT]},
        "proxy_server_request": {"messages": [PROMPT]},
        "requester_ip_address": "192.0.2.7",
    } | more


def openrouter(**more: Any) -> dict[str, Any]:
    """A row of OpenRouter's activity export."""
    return {
        "generation_id": "gen-1",
        "created_at": "2026-11-23T09:23:10.066Z",
        "model_permaslug": "openai/gpt-4o-mini",
        "provider_name": "OpenAI",
        "api_key_name": "faq-bot",
        "app_name": "Helpdesk",
        "variant": "standard",
        "tokens_prompt": "72",
        "tokens_completion": "9",
        "tokens_reasoning": "4",
        "tokens_cached": "36",
        "cost_total": "0.0000135",
        "cost_cache": "-0.000001",
        "generation_time_ms": "718",
        "time_to_first_token_ms": "100",
        "finish_reason_normalized": "stop",
        "streamed": "true",
        "cancelled": "false",
        "user": "alice",
    } | more


def helicone(**more: Any) -> dict[str, Any]:
    """A request of Helicone."""
    return {
        "response_id": "resp-1",
        "response_created_at": "2026-11-23T09:23:10.784Z",
        "response_body": {"choices": [PROMPT]},
        "response_status": 200,
        "response_model": "gpt-4o-mini-2024-07-18",
        "request_id": "req-1",
        "request_created_at": "2026-11-23T09:23:10.066Z",
        "request_body": {"messages": [PROMPT]},
        "request_path": "https://api.openai.com/v1/chat/completions",
        "request_user_id": "alice",
        "request_properties": {"feature": "faq", "level": 3},
        "request_model": "gpt-4o-mini",
        "model_override": "chat-default",
        "provider": "OPENAI",
        "delay_ms": 718,
        "time_to_first_token": 100,
        "total_tokens": 81,
        "prompt_tokens": 72,
        "prompt_cache_write_tokens": 5,
        "prompt_cache_read_tokens": 36,
        "completion_tokens": 9,
        "prompt_audio_tokens": 2,
        "completion_audio_tokens": 1,
        "signed_body_url": "https://bodies.example.org/?signature=x",
        "llmSchema": {"request": {"messages": [PROMPT]}},
        "country_code": "DE",
        "costUSD": 1.35e-05,
        "cache_reference_id": "00000000-0000-0000-0000-000000000000",
        "feedback_rating": True,
    } | more


def portkey(**more: Any) -> dict[str, Any]:
    """A line of Portkey's log export."""
    return {
        "id": "pk-1",
        "trace_id": "t-1",
        "created_at": "2026-11-23 09:23:10.066",
        "request": {"body": {"messages": [PROMPT]}},
        "response": {
            "choices": [{"message": {"content": PROMPT}}],
            "usage": {
                "prompt_tokens": 72,
                "completion_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": 36},
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
        },
        "is_success": 1,
        "ai_org": "openai",
        "ai_model": "gpt-4o-mini",
        "req_units": 72,
        "res_units": 9,
        "total_units": 81,
        "cost": 0.00135,
        "cost_currency": "USD",
        "request_url": "https://api.openai.com/v1/chat/completions",
        "response_status_code": 200,
        "response_time": 718,
        "cache_status": "MISS",
        "stream_mode": "FALSE",
        "retry_success_count": 1,
        "virtual_key": "faq-bot",
        "config": "chat-default",
        "metadata": {"key": ["_user", "feature"], "value": ["alice", "faq"]},
        "prompt_slug": "faq-v2",
    } | more


def langfuse(**more: Any) -> dict[str, Any]:
    """A row of Langfuse's export to blob storage; its times have no zone."""
    return {
        "id": "obs-1",
        "trace_id": "t-1",
        "project_id": "p-1",
        "environment": "prod",
        "type": "GENERATION",
        "start_time": "2026-11-23 09:23:10.066000",
        "end_time": "2026-11-23 09:23:10.784000",
        "completion_start_time": "2026-11-23 09:23:10.166000",
        "name": "answer",
        "metadata": {"feature": "faq", "input": PROMPT, "scope": {"name": "x"}},
        "level": "DEFAULT",
        "status_message": None,
        "input": PROMPT,
        "output": PROMPT,
        "provided_model_name": "gpt-4o-mini",
        "model_parameters": json.dumps({"system": PROMPT}),
        "usage_details": {
            "input": 31,
            "input_cached_tokens": 36,
            "input_cache_creation_1h": 5,
            "output": 5,
            "output_reasoning_tokens": 4,
            "total": 81,
        },
        "cost_details": {"input": 1e-05, "output": 3.5e-06},
        "total_cost": 1.35e-05,
        "latency": 718,
        "time_to_first_token": 100,
        "tool_calls": [PROMPT],
        "user_id": "alice",
        "tags": ["eu", "faq"],
    } | more


def envoy(**more: Any) -> dict[str, Any]:
    """A line of Envoy AI Gateway's access log."""
    return {
        "start_time": "2026-11-23T09:23:10.066Z",
        "x-request-id": "83b63da3-45a9",
        "gen_ai.request.model": "chat-default",
        "gen_ai.request.model_override": "gpt-4o-mini",
        "gen_ai.provider.name": "default/openai",
        "gen_ai.usage.input_tokens": 72,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 36,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "gen_ai.usage.reasoning_tokens": 4,
        "user": "alice",
        "team": "Search",
        "virtual_account": "faq-bot",
        "x-envoy-origin-path": "/v1/chat/completions",
        "response_code": 200,
        "response_flags": "-",
        "response_code_details": "via_upstream",
        "connection_termination_details": None,
        "upstream_transport_failure_reason": None,
        "duration": 718,
        "x-forwarded-for": "192.0.2.7",
        "user-agent": "curl/8.7.1",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "route_name": "chat",
    } | more


SAMPLES: dict[str, Callable[..., dict[str, Any]]] = {
    "litellm-spend": spend,
    "openrouter": openrouter,
    "helicone": helicone,
    "portkey": portkey,
    "langfuse": langfuse,
    "envoy": envoy,
}
CSV = ("litellm-spend", "openrouter", "helicone", "langfuse")
"""Those that come as CSV too."""


def as_csv(*rows: dict[str, Any]) -> bytes:
    """Rows with the columns of the first one; objects are JSON, null is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0])
    for row in rows:
        cells = [row.get(name) for name in rows[0]]
        writer.writerow(json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells)
    return out.getvalue().encode()


def as_lines(*rows: dict[str, Any]) -> bytes:
    """One JSON object per line."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(name: str, body: bytes, reading: Reading = PLAIN) -> list[Item]:
    """What the format makes of a file."""
    return [item for _, item in FORMATS[name].read_file(io.BytesIO(body), reading)]


def one(name: str, row: dict[str, Any], reading: Reading = PLAIN) -> RequestRecord:
    """The record of a row in JSON."""
    (record,) = read(name, as_lines(row), reading)
    assert isinstance(record, RequestRecord), record
    return record


def refused(name: str, row: dict[str, Any]) -> RejectedError:
    """Why a row is refused, which does not hold back the next one."""
    bad, good = read(name, as_lines(row, SAMPLES[name]()))
    assert isinstance(bad, RejectedError), bad
    assert isinstance(good, RequestRecord)
    return bad
