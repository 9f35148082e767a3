"""Langfuse's own spans: JSON inside of text, and buckets of tokens that do not overlap."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ingestion.records import RequestRecord
from tests import make
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import SERVICE, expected, span

LO = "langfuse.observation."
STARTED = make.NOW.replace(hour=11, minute=59)
GENERATION = {
    LO + "type": "generation",
    LO + "model.name": "claude-sonnet-4",
    LO + "model.parameters": '{"temperature": 1}',
    LO + "usage_details": json.dumps(
        {
            "input": 10,
            "output": 20,
            "total": 48,
            "cache_read_input_tokens": 5,
            "cache_creation_input_tokens": 3,
            "output_reasoning_tokens": 4,
            "input_audio_tokens": 1,
            "output_audio_tokens": 2,
        }
    ),
    LO + "cost_details": '{"input": 0.001, "output": 0.002, "total": 0.0031}',
    # A text of JSON inside of a text.
    LO + "completion_start_time": json.dumps(STARTED.replace(microsecond=250_000).isoformat()),
    LO + "level": "DEFAULT",
    LO + "metadata.step": '"answer"',
    LO + "metadata.nested": '{"a": 1}',
    "langfuse.trace.metadata.feature": '"faq"',
    "langfuse.trace.metadata.level": "3",
    "langfuse.trace.tags": ["a", "b"],
    "gen_ai.system": "anthropic",
    "user.id": "alice",
}


def usage(**details: Any) -> RequestRecord:
    return bodies.record(span(GENERATION | {LO + "usage_details": json.dumps(details)}))


def test_a_generation() -> None:
    sent = span(GENERATION, resource=SERVICE, scope="langfuse-sdk")
    assert bodies.record(sent) == expected(
        sent,
        model="claude-sonnet-4",
        provider="anthropic",
        user="alice",
        metadata=SERVICE | {"step": "answer", "feature": "faq", "level": "3", "tags": "a,b"},
        usage=json.loads(str(GENERATION[LO + "usage_details"])),
        input_tokens=19,
        output_tokens=26,
        cache_read_tokens=5,
        cache_write_tokens=3,
        reasoning_tokens=4,
        audio_input_tokens=1,
        audio_output_tokens=2,
        ttft_ms=250.0,
        streaming=True,
        reported_cost_usd=Decimal("0.0031"),
    )


@pytest.mark.parametrize(
    ("details", "expected_counts"),
    [
        ({"input": 10, "cache_read_input_tokens": 5}, {"input_tokens": 15, "cache_read_tokens": 5}),
        ({"input": 10, "input_cached_tokens": 5}, {"input_tokens": 15, "cache_read_tokens": 5}),
        ({"input": 10, "input_cache_read": 5}, {"input_tokens": 15, "cache_read_tokens": 5}),
        ({"input": 10, "cache_creation_input_tokens": 5}, {"input_tokens": 15, "cache_write_tokens": 5}),
        ({"input": 10, "input_cache_write": 5}, {"input_tokens": 15, "cache_write_tokens": 5}),
        (
            {"input": 10, "input_cache_creation_5m": 5, "input_cache_creation_1h": 2},
            {"input_tokens": 17, "cache_write_tokens": 7, "cache_write_1h_tokens": 2},
        ),
        (
            {"input": 10, "input_ephemeral_5m_input_tokens": 5, "input_ephemeral_1h_input_tokens": 2},
            {"input_tokens": 17, "cache_write_tokens": 7, "cache_write_1h_tokens": 2},
        ),
        (
            {"input": 10, "cache_creation_input_tokens_1h": 2},
            {"input_tokens": 12, "cache_write_tokens": 2, "cache_write_1h_tokens": 2},
        ),
        ({"input": 10, "input_cache_creation_11h": 2}, {"cache_write_tokens": 2, "cache_write_1h_tokens": None}),
        ({"output": 10, "output_reasoning_tokens": 5}, {"output_tokens": 15, "reasoning_tokens": 5}),
        ({"input": 0}, {"input_tokens": 0, "output_tokens": None}),
        # LangChain's names, and OpenAI's image tokens.
        ({"input": 10, "input_audio": 5}, {"input_tokens": 15, "audio_input_tokens": 5}),
        (
            {"output": 10, "output_reasoning": 4, "output_audio": 3},
            {"output_tokens": 17, "reasoning_tokens": 4, "audio_output_tokens": 3},
        ),
        (
            {"input": 10, "input_image_tokens": 5, "output": 2, "output_image_tokens": 3},
            {"input_tokens": 15, "image_input_tokens": 5, "output_tokens": 5, "image_output_tokens": 3},
        ),
        # Of Gemini the SDK takes every modality out of the whole, text as well, and the cached ones a second time.
        (
            {
                "input": 0,
                "output": 0,
                "input_modality_TEXT": 742,
                "input_modality_IMAGE": 258,
                "cached_modality_TEXT": 100,
                "cached_modality_IMAGE": 200,
                "output_modality_IMAGE": 1_290,
                "output_modality_TEXT": 10,
                "total": 2_300,
            },
            {
                "input_tokens": 1_000,
                "output_tokens": 1_300,
                "cache_read_tokens": 300,
                "image_input_tokens": 58,
                "image_output_tokens": 1_290,
                "audio_input_tokens": None,
            },
        ),
        (
            {"input": 0, "output": 5, "input_modality_text": 800, "input_modality_audio": 200},
            {"input_tokens": 1_000, "output_tokens": 5, "audio_input_tokens": 200},
        ),
        (
            {"input_tokens": 3, "output_tokens": 4, "server_tool_use": {"web_search_requests": 2}},
            {"input_tokens": 3, "output_tokens": 4, "units": {"web_search": 2}},
        ),
        # Shapes of providers: those of OpenAI overlap, those of Anthropic do not.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 6, "audio_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 2},
            },
            {
                "input_tokens": 10,
                "output_tokens": 4,
                "cache_read_tokens": 6,
                "audio_input_tokens": 1,
                "reasoning_tokens": 3,
                "audio_output_tokens": 2,
            },
        ),
        (
            {"input_tokens": 10, "output_tokens": 4, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 1},
            {"input_tokens": 17, "output_tokens": 4, "cache_read_tokens": 6, "cache_write_tokens": 1},
        ),
        ({"pages": 3}, {"input_tokens": None, "output_tokens": None}),
        ({}, {"input_tokens": None, "output_tokens": None}),
    ],
)
def test_usage(details: dict[str, Any], expected_counts: dict[str, Any]) -> None:
    found = usage(**details)
    assert {name: getattr(found, name) for name in expected_counts} == expected_counts


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("type", "EMBEDDING", {"operation": "embeddings"}),
        ("model.name", "", {"model": None}),
        ("usage_details", "no JSON", {"input_tokens": None}),
        ("usage_details", "[1]", {"input_tokens": None}),
        ("cost_details", '{"input": 0.001, "output": "0.002"}', {"reported_cost_usd": Decimal("0.003")}),
        ("cost_details", '{"total": 0}', {"reported_cost_usd": Decimal(0)}),
        ("cost_details", "{}", {"reported_cost_usd": None}),
        # Not streamed, or nobody knows: nothing is said.
        ("completion_start_time", "", {"streaming": None, "ttft_ms": None}),
        ("completion_start_time", '"soon"', {"streaming": None, "ttft_ms": None}),
        ("completion_start_time", '"2026-11-24T11:59:00.25"', {"streaming": None, "ttft_ms": None}),
        ("completion_start_time", "2026-11-24T11:59:00.250Z", {"streaming": True, "ttft_ms": 250.0}),
        ("completion_start_time", '"2026-11-24T11:58:59Z"', {"streaming": True, "ttft_ms": None}),
        ("completion_start_time", '"9999-12-31T23:59:59Z"', {"streaming": True, "ttft_ms": None}),
        ("level", "WARNING", {"status_code": 200, "error_type": None}),
        ("level", "ERROR", {"status_code": None, "error_type": "error", "error_message": None}),
    ],
)
def test_variants(name: str, value: str, changed: dict[str, Any]) -> None:
    found = bodies.record(span(GENERATION | {LO + name: value}))
    assert {field: getattr(found, field) for field in changed} == changed


def test_an_error_has_its_status_in_the_message() -> None:
    attributes = GENERATION | {LO + "level": "ERROR", LO + "status_message": "Error code: 429 - slow down"}
    found = bodies.record(span(attributes))
    assert (found.status_code, found.error_type) == (429, "error")
    assert found.error_message == "Error code: 429 - slow down"


@pytest.mark.parametrize("name", ["user.id", "langfuse.user.id", "langfuse.trace.user_id"])
def test_the_trace_tells_who_called(name: str) -> None:
    """Only the root carries what is said of the trace; the generation itself wins."""
    about = {"langfuse.trace.metadata.feature": "search", "langfuse.trace.tags": '["c"]'}
    root = span({LO + "type": "span", name: "bob", **about})
    own = {key: value for key, value in GENERATION.items() if not key.startswith(("user", "langfuse.trace"))}
    found = bodies.record(root, span(own, parent_id=root.span_id))
    assert (found.user, found.metadata) == ("bob", {"feature": "search", "tags": "c", "step": "answer"})
    inner = bodies.record(root, span(GENERATION, parent_id=root.span_id))
    assert inner.user == "alice"
    assert (inner.metadata["feature"], inner.metadata["tags"]) == ("faq", "a,b")
