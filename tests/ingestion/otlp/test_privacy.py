"""Prompts, answers, tools, headers and traces of stacks are dropped before anything is written."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from ingestion.formats.otlp.span import Event
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import START_NS, chat, span
from tests.ingestion.otlp.test_frameworks import OPENINFERENCE, VERCEL
from tests.ingestion.otlp.test_gateways import LITELLM, TRUEFOUNDRY
from tests.ingestion.otlp.test_langfuse import GENERATION

CANARY = "canary-7f3a"
PAYLOADS = (
    "messages",
    "response",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion",
    "gen_ai.completion.0.content",
    "input.value",
    "output.value",
    "llm.prompts",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.content",
    "llm.tools.0.tool.json_schema",
    "llm.invocation_parameters",
    "embedding.embeddings.0.embedding.text",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.prompt.tools",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.response.object",
    "ai.request.headers.authorization",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "langfuse.trace.metadata.messages",
    "langfuse.observation.metadata.instructions",
    "tfy.input",
    "tfy.output",
    "tfy.request.input",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "exception.stacktrace",
    "http.request.header.authorization",
    "client.address",
    "litellm.metadata.headers",
    "litellm.metadata.user_api_key_request_headers",
    "metadata.headers",
)
# What may be stored of them are scalars; these hold objects.
OBJECTS = {
    "litellm.metadata.requester_metadata": json.dumps({"headers": {"x": CANARY}}),
    "metadata.requester_metadata": str({"headers": {"x": CANARY}}),
    "metadata.usage_examples": str([{"role": "user", "content": CANARY}]),
    "metadata": json.dumps({"messages": [{"content": CANARY}], "request": {"input": CANARY}}),
    "langfuse.observation.metadata.request": json.dumps({"messages": [{"content": CANARY}]}),
    "langfuse.trace.metadata.request": json.dumps([{"content": CANARY}]),
    "tfy.request.metadata": json.dumps({"body": {"content": CANARY}}),
}


def everything_stored() -> str:
    """All rows of the product as text."""
    models = [*apps.get_app_config("ingestion").get_models(), *apps.get_app_config("teams").get_models()]
    return repr([list(model._default_manager.values()) for model in models])


@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.parametrize(
    ("attributes", "scope"),
    [
        (chat(), "opentelemetry.instrumentation.openai_v2"),
        (LITELLM, "litellm"),
        (TRUEFOUNDRY, "tfy"),
        (OPENINFERENCE, "openinference.instrumentation.openai"),
        (VERCEL, "ai"),
        (GENERATION, "langfuse-sdk"),
    ],
)
def test_no_payload_is_stored_or_answered(
    client: Client, headers: dict[str, str], db: None, attributes: dict[str, Any], scope: str, is_error: bool
) -> None:
    # A dialect is told by words, and those of the others must not change it.
    foreign = {
        name: value
        for name, value in (dict.fromkeys(PAYLOADS, CANARY) | OBJECTS).items()
        if scope == "tfy" or not name.startswith("tfy.")
        if scope in ("tfy", "langfuse-sdk") or not name.startswith("langfuse.observation.")
    }
    event = Event("gen_ai.user.message", START_NS, {"content": CANARY})
    thrown = Event("exception", START_NS, {"exception.type": "X", "exception.stacktrace": CANARY})
    around = span({"langfuse.observation.type": "span", **foreign, "gen_ai.prompt": CANARY}, name=CANARY)
    sent = span(
        {**foreign, **attributes},
        parent_id=around.span_id,
        name=CANARY,
        scope=scope,
        is_error=is_error,
        message="" if is_error else CANARY,
        events=[event, thrown],
        resource={"process.command_args": [CANARY], "process.command_line": CANARY, "host.name": CANARY},
    )
    answer = bodies.post(client, bodies.in_json([around, sent]), headers)
    assert (answer.status_code, answer.content) == (200, b"{}")
    stored = everything_stored()
    assert sent.span_id in stored
    assert CANARY not in stored


@pytest.mark.parametrize("name", ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"])
def test_no_value_is_repeated_in_a_rejection(client: Client, headers: dict[str, str], db: None, name: str) -> None:
    answer = bodies.post(client, bodies.in_json([span(chat(**{name: CANARY}))]), headers)
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert CANARY not in answer.content.decode()
    assert CANARY not in everything_stored()
