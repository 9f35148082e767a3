"""A whole record of OpenInference and of the Vercel AI SDK, out of spans as they send them."""

from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats.otlp.span import Event
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import SERVICE, START_NS, expected, span

OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.response.model_name": "gpt-4o-2024-08-06",
    "llm.request.model_name": "chat-default",
    "llm.provider": "azure",
    "llm.system": "openai",
    "llm.token_count.prompt": 50,
    "llm.token_count.completion": 20,
    "llm.token_count.total": 70,
    "llm.token_count.prompt_details.cache_read": 10,
    "llm.token_count.prompt_details.cache_write": 5,
    "llm.token_count.prompt_details.audio": 2,
    "llm.token_count.completion_details.reasoning": 7,
    "llm.token_count.completion_details.audio": 3,
    "llm.cost.total": 0.003,
    "user.id": "alice",
    "metadata": '{"feature": "faq", "nested": {"a": "b"}, "level": 3}',
    "tag.tags": ["a", "b"],
}
FIRST_TOKEN = Event("First Token Stream Event", START_NS + 300 * 10**6, {})


def test_openinference() -> None:
    sent = span(OPENINFERENCE, resource=SERVICE, events=[FIRST_TOKEN])
    assert bodies.record(sent) == expected(
        sent,
        model="gpt-4o-2024-08-06",
        provider="azure",
        virtual_model="chat-default",
        user="alice",
        metadata=SERVICE | {"feature": "faq", "level": "3", "tag.tags": "a,b"},
        input_tokens=50,
        output_tokens=20,
        cache_read_tokens=10,
        cache_write_tokens=5,
        audio_input_tokens=2,
        reasoning_tokens=7,
        audio_output_tokens=3,
        ttft_ms=300.0,
        streaming=True,
        reported_cost_usd=Decimal("0.003"),
    )


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"llm.response.model_name": ""}, {"model": "gpt-4o"}),
        ({"llm.provider": ""}, {"provider": "openai"}),
        (
            {"llm.response.model_name": "", "llm.model_name": "", "llm.invocation_parameters": '{"model": "o3"}'},
            {"model": "o3", "streaming": None, "ttft_ms": None},
        ),
        (
            {"openinference.span.kind": "EMBEDDING", "llm.response.model_name": "", "llm.model_name": "",
             "embedding.model_name": "e"},
            {"model": "e", "operation": "embeddings"},
        ),
        ({"openinference.span.kind": "reranker"}, {"operation": "rerank"}),
        ({"metadata": "no object"}, {"metadata": {"tag.tags": "a,b"}}),
        ({"metadata": "[" * 100_000}, {"metadata": {"tag.tags": "a,b"}}),
    ],
)  # fmt: skip
def test_variants_of_openinference(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    found = bodies.record(span(OPENINFERENCE | fields))
    assert {name: getattr(found, name) for name in changed} == changed


VERCEL = {
    "ai.operationId": "ai.streamText.doStream",
    "ai.model.id": "gpt-4o",
    "ai.model.provider": "openai.responses",
    "ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.model": "other",
    "gen_ai.system": "openai.responses",
    "ai.response.msToFirstChunk": 150.5,
    "ai.usage.inputTokens": 30,
    "gen_ai.usage.input_tokens": 31,
    "ai.usage.promptTokens": 32,
    "ai.usage.outputTokens": 12,
    "gen_ai.usage.output_tokens": 13,
    "ai.usage.completionTokens": 14,
    "ai.usage.inputTokenDetails.cacheReadTokens": 8,
    "ai.usage.cachedInputTokens": 9,
    "ai.usage.inputTokenDetails.cacheWriteTokens": 2,
    "ai.usage.outputTokenDetails.reasoningTokens": 4,
    "ai.usage.reasoningTokens": 5,
    "ai.telemetry.functionId": "faq",
    "ai.telemetry.metadata.userId": "alice",
    "ai.telemetry.metadata.team": "search",
}


def test_vercel() -> None:
    sent = span(VERCEL, resource=SERVICE, scope="ai")
    assert bodies.record(sent) == expected(
        sent,
        model="gpt-4o-2024-08-06",
        provider="openai",
        user="alice",
        team="search",
        metadata=SERVICE | {"userId": "alice", "team": "search", "ai.telemetry.functionId": "faq"},
        input_tokens=30,
        output_tokens=12,
        cache_read_tokens=8,
        cache_write_tokens=2,
        reasoning_tokens=4,
        ttft_ms=150.5,
        streaming=True,
    )


@pytest.mark.parametrize(
    ("dropped", "changed"),
    [
        (("ai.response.model",), {"model": "other"}),
        (("ai.response.model", "gen_ai.response.model"), {"model": "gpt-4o"}),
        (("ai.usage.inputTokens", "ai.usage.outputTokens"), {"input_tokens": 31, "output_tokens": 13}),
        (("ai.usage.inputTokens", "gen_ai.usage.input_tokens"), {"input_tokens": 32}),
        (("ai.usage.outputTokens", "gen_ai.usage.output_tokens"), {"output_tokens": 14}),
        (("ai.usage.inputTokenDetails.cacheReadTokens",), {"cache_read_tokens": 9}),
        (("ai.usage.outputTokenDetails.reasoningTokens",), {"reasoning_tokens": 5}),
        (("ai.telemetry.metadata.userId", "ai.telemetry.metadata.team"), {"user": None, "team": None}),
    ],
)
def test_older_names_of_vercel(dropped: tuple[str, ...], changed: dict[str, Any]) -> None:
    found = bodies.record(span({name: value for name, value in VERCEL.items() if name not in dropped}))
    assert {name: getattr(found, name) for name in changed} == changed


def test_vercel_embeds() -> None:
    attributes = {"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "text-embedding-3-small", "ai.usage.tokens": 6}
    found = bodies.record(span(attributes))
    assert (found.operation, found.model, found.input_tokens, found.streaming) == (
        "embeddings",
        "text-embedding-3-small",
        6,
        False,
    )
    generated = bodies.record(span(VERCEL | {"ai.operationId": "ai.generateText.doGenerate"}))
    assert (generated.operation, generated.streaming) == ("chat", False)


def test_vercel_tells_who_called_on_the_outer_span() -> None:
    outer = span({"ai.operationId": "ai.streamText", "ai.telemetry.metadata.userId": "bob"})
    inner = {name: value for name, value in VERCEL.items() if "telemetry" not in name}
    assert bodies.record(outer, span(inner, parent_id=outer.span_id)).user == "bob"
