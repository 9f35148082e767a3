"""One call = one request, however many spans describe it and in whatever order they come."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from ingestion.formats.otlp.choice import calls
from ingestion.formats.otlp.span import Span
from ingestion.models import LLMRequest
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import chat, span

WORKFLOW = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o"}


def inside(outer: Span, attributes: dict[str, Any] | None = None, **fields: Any) -> Span:
    return span(attributes, parent_id=outer.span_id, **fields)


def counted(spans: Sequence[Span]) -> list[str]:
    """The ids of the spans that are counted, in their order."""
    return [one.span_id for one, _, _ in calls(spans)]


def openinference(kind: str, model: str = "gpt-4o") -> dict[str, Any]:
    return {"openinference.span.kind": kind, "llm.model_name": model}


def vercel(operation: str) -> dict[str, Any]:
    return {"ai.operationId": operation, "ai.model.id": "gpt-4o", "ai.usage.inputTokens": 3}


@pytest.mark.parametrize(
    ("attributes", "is_counted"),
    [
        ({"tfy.span_type": "Model"}, True),
        ({"tfy.span_type": "LLM"}, True),
        ({"tfy.span_type": "ChatCompletion"}, False),
        ({"tfy.span_type": "MCP"}, False),
        ({"tfy.span_type": "Guardrail"}, False),
        ({"tfy.request.model_name": "x", **chat()}, False),
        ({"langfuse.observation.type": "generation"}, True),
        ({"langfuse.observation.type": "embedding"}, True),
        ({"langfuse.observation.type": "span", **chat()}, False),
        ({"langfuse.observation.type": "event"}, False),
        ({"langfuse.observation.type": "agent"}, False),
        *((openinference(kind), True) for kind in ("LLM", "EMBEDDING", "RERANKER")),
        *(
            (openinference(kind), False)
            for kind in ("CHAIN", "TOOL", "AGENT", "RETRIEVER", "GUARDRAIL", "EVALUATOR", "")
        ),
        *((vercel(f"ai.{name}"), True) for name in ("generateText.doGenerate", "streamText.doStream", "embed.doEmbed")),
        *((vercel(f"ai.{name}"), False) for name in ("generateText", "streamText", "embed", "toolCall")),
        *((chat(**{"gen_ai.operation.name": name}), True) for name in ("chat", "generate_content", "text_completion")),
        (chat(**{"gen_ai.operation.name": "embeddings"}), True),
        ({"gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o"}, True),
        *(
            (chat(**{"gen_ai.operation.name": name}), False)
            for name in ("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "retrieval")
        ),
        # A call to a model names it.
        ({"gen_ai.operation.name": "chat"}, False),
        # Clients of HTTP and web frameworks repeat what the call around them says.
        *((chat(**{name: "POST"}), False) for name in ("http.request.method", "http.method", "http.route")),
        ({}, False),
    ],
)
def test_what_is_a_call(attributes: dict[str, Any], is_counted: bool) -> None:
    assert bool(counted([span(attributes)])) is is_counted


@pytest.mark.parametrize(
    ("name", "kind", "attributes", "is_counted"),
    [
        ("chat gpt-4o", bodies.CLIENT_KIND, chat(), True),
        ("litellm_request", 1, {}, True),
        ("raw_gen_ai_request", bodies.CLIENT_KIND, chat(), False),
        ("Received Proxy Server Request", 2, chat(), False),
        ("auth", bodies.CLIENT_KIND, {}, False),
        ("router", 1, chat(), False),
    ],
)
def test_what_is_a_call_of_litellm(name: str, kind: int, attributes: dict[str, Any], is_counted: bool) -> None:
    assert bool(counted([span(attributes, name=name, kind=kind, scope="litellm")])) is is_counted


def test_the_inner_span_of_one_call_is_counted() -> None:
    outer = span(vercel("ai.generateText"))
    inner = inside(outer, vercel("ai.generateText.doGenerate"))
    assert counted([outer, inner, inside(inner, {"http.request.method": "POST", **chat()})]) == [inner.span_id]
    around = span(chat())
    nested = inside(around, chat(**{"gen_ai.response.model": "gpt-4o-2024-08-06"}))
    deepest = inside(nested, {"gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-2024-08-06"})
    assert counted([around, nested]) == [nested.span_id]
    assert counted([around, nested, deepest]) == [deepest.span_id]


def test_spans_between_do_not_matter() -> None:
    outer = span(chat())
    between = inside(outer, {"name": "retry"})
    inner = inside(between, chat(), resource={"service.name": "other"})
    assert counted([outer, between, inner]) == [inner.span_id]


def test_one_call_in_two_vocabularies() -> None:
    chain = span(openinference("CHAIN"))
    llm = inside(chain, openinference("LLM"))
    assert counted([chain, llm]) == [llm.span_id]
    # LangChain says LLM, and inside it the client of OpenAI is instrumented as well.
    client = inside(llm, chat(**{"gen_ai.response.model": "gpt-4o-2024-08-06"}))
    assert counted([chain, llm, client]) == [client.span_id]
    observed = span({"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o"})
    repeated = inside(observed, openinference("LLM"))
    assert counted([observed, repeated]) == [repeated.span_id]


def test_a_gateways_own_span_is_the_call_it_made_through_a_library() -> None:
    names = {"gen_ai.request.model": "chat-default", "litellm.provider.model": "openai/gpt-4o-mini"}
    proxy = span(chat(**names), scope="litellm")
    client = inside(proxy, chat(**{"gen_ai.request.model": "gpt-4o-mini"}))
    assert counted([proxy, client]) == counted([client, proxy]) == [proxy.span_id]
    # Two spans of the gateway itself are told apart as everywhere else, and its caller's own span is the outer one.
    caller = span(chat(**{"gen_ai.request.model": "chat-default"}))
    proxy.parent_id = caller.span_id
    again = inside(proxy, chat(**names), scope="litellm")
    assert counted([caller, proxy, again, client]) == [again.span_id]


def test_calls_of_different_models_are_different_calls() -> None:
    judged = span(chat(**{"gen_ai.request.model": "o3"}))
    assert len(counted([judged, inside(judged, chat())])) == 2
    assert len(counted([span(openinference("LLM", "o3")), span(chat())])) == 2


def test_attempts_under_one_parent_are_requests() -> None:
    for outer in (span(WORKFLOW), span(chat()), span(vercel("ai.generateText"))):
        attempts = [inside(outer, chat(), is_error=True), inside(outer, chat())]
        assert counted([outer, *attempts]) == [one.span_id for one in attempts]


def test_counting_does_not_wait_for_the_parent(client: Client, headers: dict[str, str], db: None) -> None:
    outer = span(openinference("CHAIN"))
    inner = inside(outer, openinference("LLM"))
    for one in (inner, outer):
        assert bodies.post(client, bodies.in_json([one]), headers).json() == {}
    assert LLMRequest.objects.get().span_id == inner.span_id


def test_parents_are_of_the_same_trace() -> None:
    outer = span(chat(), trace_id="1" * 32)
    inner = inside(outer, chat())
    assert counted([outer, inner]) == [outer.span_id, inner.span_id]


def test_chains_that_come_back_to_themselves() -> None:
    own = span(span_id="a" * 16, parent_id="a" * 16)
    assert counted([own]) == [own.span_id]
    one = span(span_id="b" * 16, parent_id="c" * 16)
    other = span(span_id="c" * 16, parent_id="b" * 16)
    pointing = inside(one, chat())
    assert counted([one, other, pointing]) == [one.span_id, other.span_id, pointing.span_id]


def test_spans_without_ids_are_nobodys_parents() -> None:
    """Or every root would be inside of them."""
    roots = [span(), span()]
    for parent in ("", "f" * 16):
        assert counted([span(span_id="", parent_id=parent), *roots]) == ["", *(one.span_id for one in roots)]


def test_long_chains_end() -> None:
    chain = [span()]
    for _ in range(5_000):
        chain.append(inside(chain[-1], chat()))
    assert counted(chain) == [chain[-1].span_id]


def test_the_order_of_spans_does_not_matter() -> None:
    outer, agent = span(vercel("ai.generateText")), span(WORKFLOW)
    steps = [inside(agent, openinference("LLM", model)) for model in ("gpt-4o", "o3")]
    inner = vercel("ai.generateText.doGenerate")
    spans = [
        *(outer, inside(outer, inner), inside(outer, inner)),
        *(agent, *steps, *(inside(one, chat()) for one in steps)),
    ]
    found = {str(item) for item in bodies.records(*spans)}
    assert len(found) == 5
    for seed in range(20):
        shuffled = random.Random(seed).sample(spans, len(spans))
        assert {str(item) for item in bodies.records(*shuffled)} == found
