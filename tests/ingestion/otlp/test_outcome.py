"""How a call ended, what it took, and what sources report that is not so."""

from typing import Any

import pytest
from django.test import Client

from ingestion.formats.otlp.span import Event
from ingestion.models import LLMRequest
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import START_NS, chat, failed, span

CLASSES = {
    "RateLimitError": 429,
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "BadRequestError": 400,
    "Timeout": 408,
    "APITimeoutError": 408,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
}


@pytest.mark.parametrize(("name", "status"), CLASSES.items())
def test_classes_stand_for_statuses(name: str, status: int) -> None:
    for sent in (name, f"openai.{name}", f"litellm.exceptions.{name}"):
        found = bodies.record(failed("", exception=None, **{"error.type": sent}))
        assert (found.status_code, found.error_type) == (status, name)
    found = bodies.record(failed(exception={"exception.type": f"openai.{name}"}))
    assert (found.status_code, found.error_type) == (status, name)


@pytest.mark.parametrize(
    ("attributes", "message", "exception", "expected"),
    [
        # A code, then the class as a number, then the head of the message, then the table.
        ({"http.response.status_code": 418, "error.type": "429"}, "500 x", None, (418, "429")),
        ({"http.response.status_code": "none", "error.type": "RateLimitError"}, "", None, (429, "RateLimitError")),
        ({"error.type": "429"}, "Error code: 500 - x", None, (429, "429")),
        ({"error.type": "503"}, "", {"exception.type": "openai.APIError"}, (503, "APIError")),
        ({"error.type": "RateLimitError"}, "Error code: 500 - x", None, (500, "RateLimitError")),
        ({"error.type": "APIError"}, "Error code: 429 - {'error': 1}", None, (429, "APIError")),
        ({"error.type": "Error"}, "429 Rate limit reached", None, (429, "Error")),
        ({"error.type": "Error"}, "4290 tokens are too many", None, (None, "Error")),
        ({"error.type": "Error"}, "the code was 429", None, (None, "Error")),
        ({"error.type": "_OTHER"}, "", None, (None, "_OTHER")),
        ({"error.type": "600"}, "", None, (None, "600")),
        ({"error.type": "server_error"}, "", {"exception.type": "RateLimitError"}, (None, "server_error")),
        ({}, "", {"exception.type": "a.b.C", "exception.message": "400 bad"}, (400, "C")),
        ({}, "", None, (None, "error")),
        ({}, "429", None, (429, "error")),
        ({"error.type": "x" * 300}, "", None, (None, "x" * 128)),
    ],
)
def test_failures(
    attributes: dict[str, Any], message: str, exception: dict[str, str] | None, expected: tuple[int | None, str]
) -> None:
    found = bodies.record(failed(message, exception=exception, **attributes))
    assert (found.status_code, found.error_type) == expected
    assert found.error_message == (message or (exception or {}).get("exception.message"))


def test_a_class_or_a_status_makes_a_failure_without_the_status_of_the_span() -> None:
    named = bodies.record(span(chat(**{"error.type": "RateLimitError"})))
    assert (named.status_code, named.error_type) == (429, "RateLimitError")
    answered = bodies.record(span(chat(**{"http.response.status_code": 503})))
    assert (answered.status_code, answered.error_type) == (503, "error")


def test_an_exception_that_was_caught_is_no_failure() -> None:
    found = bodies.record(span(events=[Event("exception", START_NS, {"exception.type": "ValueError"})]))
    assert (found.status_code, found.error_type, found.error_message) == (200, None, None)


def test_messages_in_their_order() -> None:
    thrown = {"exception.message": "third", "exception.stacktrace": "File x, line 1"}
    assert bodies.record(failed("second", exception=thrown, **{"error.message": "first"})).error_message == "first"
    assert bodies.record(failed("second", exception=thrown)).error_message == "second"
    assert bodies.record(failed(exception=thrown)).error_message == "third"


def stored(client: Client, headers: dict[str, str], *spans: Any) -> LLMRequest:
    assert bodies.post(client, bodies.in_json(spans), headers).json() == {}
    return LLMRequest.objects.select_related("error_type").get()


def test_a_failure_is_stored(client: Client, headers: dict[str, str], db: None) -> None:
    sent = failed("Error code: 429 - " + "é" * 1_000, exception={"exception.type": "openai.RateLimitError"})
    row = stored(client, headers, sent)
    assert (row.failed, row.status_code, row.failure_class) == (True, 429, "429")
    assert str(row.error_type) == "RateLimitError"
    assert row.error_message == "Error code: 429 - " + "é" * 503


def test_no_message_of_a_success_is_stored(client: Client, headers: dict[str, str], db: None) -> None:
    row = stored(client, headers, span(message="fine"))
    assert (row.failed, row.status_code, row.error_message) == (False, 200, None)


@pytest.mark.parametrize(
    ("streaming", "seconds", "kept"),
    [
        (True, 0.5, 500_000),
        (False, 0.5, None),
        (None, 0.5, None),
        (True, 0.0, None),
        (True, 2.0, None),
        (True, 2.5, None),
        (True, -0.1, None),
        (True, 1e20, None),
        (True, "soon", None),
    ],
)
def test_first_tokens(
    client: Client, headers: dict[str, str], db: None, streaming: bool | None, seconds: object, kept: int | None
) -> None:
    """openlit says one for every call; clocks of clients and servers differ."""
    attributes = chat(**{"gen_ai.server.time_to_first_token": seconds})
    row = stored(
        client, headers, span(attributes | ({} if streaming is None else {"gen_ai.request.stream": streaming}))
    )
    assert (row.streaming, row.ttft_us, row.latency_us) == (streaming, kept, 2_000_000)


@pytest.mark.parametrize(
    ("attributes", "reported"),
    [
        ({"gen_ai.usage.cost": 0.0, "gen_ai.usage.input_tokens": 5}, None),
        ({"gen_ai.usage.cost": 0, "error.type": "X"}, None),
        ({"gen_ai.usage.cost": 0.000001, "gen_ai.usage.input_tokens": 5}, 1_000_000),
        ({"gen_ai.usage.cost": 0}, 0),
    ],
)
def test_a_cost_of_nothing_is_not_known(
    client: Client, headers: dict[str, str], db: None, attributes: dict[str, Any], reported: int | None
) -> None:
    assert stored(client, headers, span(chat(**attributes))).reported_cost == reported


@pytest.mark.parametrize("end_ns", [0, START_NS - 1])
def test_a_call_that_ends_before_it_starts_has_no_latency(
    client: Client, headers: dict[str, str], db: None, end_ns: int
) -> None:
    assert stored(client, headers, span(end_ns=end_ns)).latency_us is None


def test_more_cached_than_input_tokens_are_added(client: Client, headers: dict[str, str], db: None) -> None:
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 90}
    row = stored(client, headers, span(chat(**usage)))
    assert (row.input_tokens, row.cache_read_tokens, row.token_anomaly) == (100, 90, True)


@pytest.mark.parametrize(
    ("name", "operation", "metadata"),
    [
        ("chat", "chat", {}),
        ("generate_content", "chat", {}),
        ("text_completion", "text_completion", {}),
        ("embeddings", "embeddings", {}),
    ],
)
def test_operations(
    client: Client, headers: dict[str, str], db: None, name: str, operation: str, metadata: dict[str, str]
) -> None:
    row = stored(client, headers, span(chat(**{"gen_ai.operation.name": name})))
    assert (row.operation, row.metadata) == (operation, metadata)


@pytest.mark.parametrize(
    ("sent", "provider"),
    [("aws.bedrock", "aws"), ("azure.ai.openai", "azure"), ("gcp.gemini", "google"), ("gcp.vertex_ai", "google-vertex"),
     ("mistral_ai", "mistral"), ("x_ai", "x-ai"), ("OpenAI", "openai")],
)  # fmt: skip
def test_providers(client: Client, headers: dict[str, str], db: None, sent: str, provider: str) -> None:
    row = stored(client, headers, span(chat(**{"gen_ai.provider.name": sent})))
    assert row.model is not None
    assert row.model.provider == provider
