"""The GenAI conventions: every name under which a fact is on the wire, and which one wins."""

from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats.otlp.dialects import genai
from ingestion.records import Code, RejectedError, RequestRecord
from tests import make
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import chat, span

G = "gen_ai."
# Written out, not taken from the product: a name that is dropped there is missed here.
COUNTS = {
    "input_tokens": ("usage.input_tokens", "usage.prompt_tokens"),
    "output_tokens": ("usage.output_tokens", "usage.completion_tokens"),
    "cache_read_tokens": (
        "usage.cache_read.input_tokens",
        "usage.cache_read_input_tokens",
        "usage.input_tokens.cached",
    ),
    "cache_write_tokens": (
        "usage.cache_write.input_tokens",
        "usage.cache_creation.input_tokens",
        "usage.cache_creation_input_tokens",
        "usage.cache_write_input_tokens",
    ),
    "reasoning_tokens": (
        "usage.reasoning.output_tokens",
        "usage.reasoning_tokens",
        "usage.output_tokens.reasoning",
    ),
    "audio_input_tokens": ("usage.audio.input_tokens",),
    "audio_output_tokens": ("usage.audio.output_tokens",),
    "image_input_tokens": ("usage.image.input_tokens",),
    "image_output_tokens": ("usage.image.output_tokens",),
}
TEXTS = {
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "virtual_model": ("gen_ai.original.model",),
    "user": ("user.id", "enduser.id", "gen_ai.user", "gen_ai.request.user", "user.email"),
    "team": ("team.id",),
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
    ),
    "error_type": ("error.type",),
    "operation": ("gen_ai.operation.name", "llm.request.type"),
}
STREAMING = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming")
FIRST_CHUNK = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
STATUS = ("http.response.status_code", "http.status_code")


def test_a_whole_record() -> None:
    sent = span(
        chat(
            **{
                "gen_ai.provider.name": "openai",
                "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.original.model": "chat-default",
                "gen_ai.request.stream": True,
                "gen_ai.response.time_to_first_chunk": 0.312,
                "gen_ai.usage.input_tokens": 1_200,
                "gen_ai.usage.output_tokens": 90,
                "gen_ai.usage.cache_read.input_tokens": 800,
                "gen_ai.usage.cache_write.input_tokens": 100,
                "gen_ai.usage.reasoning.output_tokens": 40,
                "gen_ai.usage.audio.input_tokens": 5,
                "gen_ai.usage.audio.output_tokens": 6,
                "gen_ai.usage.image.input_tokens": 258,
                "gen_ai.usage.image.output_tokens": 30,
                "gen_ai.usage.cost": 0.00125,
                "openai.response.service_tier": "priority",
                "user.id": "alice",
                "team.id": "search",
                "server.address": "api.openai.com",
                "traceloop.association.properties.chat_id": "c-7",
            }
        ),
        span_id="00f067aa0ba902b7",
        start_ns=bodies.START_NS + 123_456_789,
        end_ns=bodies.START_NS + 1_123_456_789,
        resource={"service.name": "faq", "deployment.environment.name": "production", "host.name": "h"},
        scope="opentelemetry.instrumentation.openai_v2",
    )
    assert bodies.record(sent) == RequestRecord(
        request_id=f"{bodies.TRACE}:00f067aa0ba902b7",
        started_at=make.NOW.replace(hour=11, minute=59, microsecond=123_456),
        model="gpt-4o-2024-08-06",
        provider="openai",
        virtual_model="chat-default",
        user="alice",
        team="search",
        metadata={"service.name": "faq", "deployment.environment.name": "production", "chat_id": "c-7"},
        input_tokens=1_200,
        output_tokens=90,
        cache_read_tokens=800,
        cache_write_tokens=100,
        reasoning_tokens=40,
        audio_input_tokens=5,
        audio_output_tokens=6,
        image_input_tokens=258,
        image_output_tokens=30,
        usage={name: value for name, value in sent.attributes.items() if name.startswith("gen_ai.usage.")},
        latency_ms=1_000.0,
        ttft_ms=312.0,
        streaming=True,
        status_code=200,
        reported_cost_usd=Decimal("0.00125"),
        service_tier="priority",
        operation="chat",
        trace_id=bodies.TRACE,
        span_id="00f067aa0ba902b7",
    )


def test_what_was_read_from_the_cache_is_neither_audio_nor_image() -> None:
    """`image.input_tokens` counts the cached ones too: taken off, or they would be billed as both."""
    found = bodies.record(
        span(
            chat(
                **{
                    "gen_ai.usage.input_tokens": 1_000,
                    "gen_ai.usage.cache_read.input_tokens": 300,
                    "gen_ai.usage.image.input_tokens": 258,
                    "gen_ai.usage.image.cache_read.input_tokens": 200,
                    "gen_ai.usage.audio.input_tokens": 90,
                    "gen_ai.usage.audio.cache_read.input_tokens": 40,
                }
            )
        )
    )
    assert (found.image_input_tokens, found.audio_input_tokens, found.cache_read_tokens) == (58, 50, 300)


def test_what_is_not_said_is_unknown() -> None:
    sent = span(end_ns=0)
    assert bodies.record(sent) == RequestRecord(
        request_id=sent.request_id,
        started_at=sent.started_at,
        model="gpt-4o",
        status_code=200,
        operation="chat",
        trace_id=bodies.TRACE,
        span_id=sent.span_id,
    )


def test_the_tables_are_complete() -> None:
    """Beside the tests of each name: no name of the product's tables is untested."""
    assert {field: tuple(G + name for name in names) for field, names in COUNTS.items()} == genai.COUNTS
    assert (TEXTS["model"], TEXTS["provider"], TEXTS["service_tier"]) == (genai.MODEL, genai.PROVIDER, genai.TIER)
    assert genai.STREAMING == STREAMING


@pytest.mark.parametrize(("field", "names"), COUNTS.items())
def test_counts(field: str, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        assert getattr(bodies.record(span(chat(**{G + name: 7}))), field) == 7, name
        # Whichever comes first in the table wins, in whatever order they are sent; 0 is said, "" is not.
        older = {G + one: 9 for one in names[place + 1 :]}
        assert getattr(bodies.record(span(chat(**older, **{G + name: 0}))), field) == 0
        if older:
            assert getattr(bodies.record(span(chat(**{G + name: ""}, **older))), field) == 9


@pytest.mark.parametrize(("field", "names"), TEXTS.items())
def test_texts(field: str, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        base = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
        others = dict.fromkeys(names[place + 1 :], "embeddings")
        rest = {key: value for key, value in base.items() if key not in names[:place]}
        found = bodies.record(span(rest | others | {name: "chat"}))
        assert getattr(found, field) == "chat", name


@pytest.mark.parametrize("names", [STREAMING])
@pytest.mark.parametrize(("sent", "streaming"), [(True, True), (False, False), ("true", True), ("False", False)])
def test_streaming(names: tuple[str, ...], sent: object, streaming: bool) -> None:
    for place, name in enumerate(names):
        older = dict.fromkeys(names[place + 1 :], not streaming)
        assert bodies.record(span(chat(**older, **{name: sent}))).streaming is streaming
    assert bodies.record(span(chat(**{names[0]: "perhaps"}))).streaming is None


@pytest.mark.parametrize("name", FIRST_CHUNK)
def test_the_first_chunk_comes_in_seconds(name: str) -> None:
    assert bodies.record(span(chat(**{name: 0.5}))).ttft_ms == 500


def test_the_newer_name_of_the_first_chunk_wins() -> None:
    assert bodies.record(span(chat(**{FIRST_CHUNK[1]: 0.7, FIRST_CHUNK[0]: 0.5}))).ttft_ms == 500


@pytest.mark.parametrize("name", STATUS)
def test_the_status_of_http(name: str) -> None:
    assert [bodies.record(span(chat(**{name: code}))).status_code for code in (200, 201, "429", 503)] == [
        *(200, 201, 429, 503)
    ]
    assert bodies.record(span(chat(**{STATUS[1]: 500, STATUS[0]: 429}))).status_code == 429


@pytest.mark.parametrize("name", ["deployment.environment.name", "deployment.environment"])
def test_the_environment_has_two_names(name: str) -> None:
    assert bodies.record(span(resource={name: "staging"})).metadata == {"deployment.environment.name": "staging"}


def test_the_span_beats_the_spans_around_it_and_those_the_resource() -> None:
    outer = span({"user.id": "bob", "team.id": "ads"}, resource={"user.id": "carol"})
    own = span(chat(**{"user.id": "alice"}), parent_id=outer.span_id, resource={"team.id": "search"})
    found = bodies.record(outer, own)
    assert (found.user, found.team) == ("alice", "ads")
    alone = bodies.record(own)
    assert (alone.user, alone.team) == ("alice", "search")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (12, 12),
        ("12", 12),
        (12.0, 12),
        ("1e3", 1_000),
        (0, 0),
    ],
)
def test_loose_counts(sent: object, expected: int) -> None:
    assert bodies.record(span(chat(**{"gen_ai.usage.input_tokens": sent}))).input_tokens == expected


@pytest.mark.parametrize("sent", ["a few", 1.5, "1.5", True, [3], float("nan"), "inf", 1e40, "9" * 400])
def test_what_is_no_count_is_refused_alone(sent: Any) -> None:
    bad, good = bodies.records(span(chat(**{"gen_ai.usage.output_tokens": sent})), span())
    assert isinstance(bad, RejectedError)
    assert (bad.code, bad.field) == (Code.INVALID, "gen_ai.usage.output_tokens")
    assert isinstance(good, RequestRecord)


@pytest.mark.parametrize(("sent", "expected"), [("0.5", Decimal("0.5")), (0.1, Decimal("0.1")), ("free", None)])
def test_costs_are_exact(sent: object, expected: Decimal | None) -> None:
    assert bodies.record(span(chat(**{"gen_ai.usage.cost": sent}))).reported_cost_usd == expected


def test_the_span_of_openllmetry() -> None:
    sent = span(
        {
            "llm.request.type": "chat",
            "gen_ai.system": "Anthropic",
            "gen_ai.request.model": "claude-sonnet-4",
            "gen_ai.usage.prompt_tokens": 10,
            "gen_ai.usage.completion_tokens": 4,
            "gen_ai.usage.cache_read_input_tokens": 2,
            "gen_ai.usage.cache_creation_input_tokens": 3,
            "gen_ai.usage.reasoning_tokens": 1,
            "gen_ai.user": "alice",
            "gen_ai.is_streaming": True,
            "llm.usage.total_tokens": 14,
            "traceloop.association.properties.team": "search",
        }
    )
    assert bodies.record(sent) == RequestRecord(
        request_id=sent.request_id,
        started_at=sent.started_at,
        model="claude-sonnet-4",
        provider="Anthropic",
        user="alice",
        metadata={"team": "search"},
        input_tokens=10,
        output_tokens=4,
        cache_read_tokens=2,
        cache_write_tokens=3,
        usage=bodies.told(sent),
        reasoning_tokens=1,
        latency_ms=2_000.0,
        streaming=True,
        status_code=200,
        operation="chat",
        trace_id=bodies.TRACE,
        span_id=sent.span_id,
    )
