"""What nobody sends by accident: never an error of ours, and it costs its own span only."""

import json
from typing import Any

import pytest
from django.test import Client

from ingestion.formats.otlp.span import Span
from ingestion.models import LLMRequest
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import START_NS, TRACE, chat, failed, span

pytestmark = pytest.mark.django_db


def rejected(client: Client, headers: dict[str, str], body: bytes, *, binary: bool = False) -> list[str]:
    """The codes of what was rejected, each once."""
    answer = bodies.post(client, body, headers, binary=binary)
    assert answer.status_code == 200, answer.content
    if binary:
        return [str(answer.content)] if answer.content else []
    message = answer.json().get("partialSuccess", {}).get("errorMessage", "")
    return [message.partition(":")[0]] if message else []


BAD: dict[str, Span] = {
    "a model with NUL": span(chat(**{"gen_ai.request.model": "a\0b"})),
    "a user with NUL": span(chat(**{"user.id": "\0"})),
    "an error with NUL": span(chat(**{"error.type": "a\0b"})),
    "a key with NUL": span(chat(**{"traceloop.association.properties.a\0b": "x"})),
    "a long model": span(chat(**{"gen_ai.request.model": "m" * 100_000})),
    "a long user": span(chat(**{"user.id": "é" * 300})),
    "too many tokens": span(chat(**{"gen_ai.usage.input_tokens": 2**63 - 1})),
    "negative tokens": span(chat(**{"gen_ai.usage.input_tokens": -1})),
    "tokens that are not a number": span(chat(**{"gen_ai.usage.input_tokens": float("nan")})),
    "endless tokens": span(chat(**{"gen_ai.usage.input_tokens": float("inf")})),
    "a negative cost": span(chat(**{"gen_ai.usage.cost": -0.5})),
    "an absurd cost": span(chat(**{"gen_ai.usage.cost": 1e29})),
    "the end of time": span(end_ns=2**64 - 1),
    "the start of the end of time": span(start_ns=2**64 - 1, end_ns=2**64 - 1),
}
ODD: dict[str, tuple[Span, dict[str, Any]]] = {
    "NUL in metadata": (span(resource={"service.name": "a\0b"}), {"metadata": {"service.name": "a�b"}}),
    "NUL in a message": (failed("a\0b"), {"error_message": "a�b"}),
    "NUL in names": (span(name="\0", scope="\0", message="\0"), {"error_message": None}),
    "a cost that is not a number": (span(chat(**{"gen_ai.usage.cost": float("nan")})), {"reported_cost": None}),
    "an endless cost": (span(chat(**{"gen_ai.usage.cost": float("inf")})), {"reported_cost": None}),
    "a tiny cost": (span(chat(**{"gen_ai.usage.cost": 5e-324})), {"reported_cost": 0}),
    "endless seconds": (span(chat(**{"gen_ai.response.time_to_first_chunk": float("inf")})), {"ttft_us": None}),
    "a list as a model": (span(chat(**{"gen_ai.response.model": ["a"]})), {"model": None}),
    "ten thousand attributes": (span(chat(**{f"attribute.{n}": n for n in range(10_000)})), {"metadata": {}}),
    "names as in HTML": (span(chat(**{"user.id": "<script>{{x}}'; DROP"})), {}),
    "characters of all planes": (failed("🌍 مرحبا"), {"error_message": "🌍 مرحبا"}),
}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_bad_spans(client: Client, headers: dict[str, str], name: str, binary: bool) -> None:
    good = span()
    sent = [BAD[name], good]
    assert rejected(client, headers, bodies.in_protobuf(sent) if binary else bodies.in_json(sent), binary=binary)
    assert list(LLMRequest.objects.values_list("span_id", flat=True)) == [good.span_id]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_odd_spans(client: Client, headers: dict[str, str], name: str, binary: bool) -> None:
    sent, expected = ODD[name]
    body = bodies.in_protobuf([sent]) if binary else bodies.in_json([sent])
    assert rejected(client, headers, body, binary=binary) == []
    row = LLMRequest.objects.get()
    assert {field: getattr(row, field) for field in expected} == expected


def test_metadata_is_cut_rather_than_refused(client: Client, headers: dict[str, str]) -> None:
    properties = {f"traceloop.association.properties.{n:03}": "v" * 300 for n in range(500)}
    sent = span(chat(**properties, **{"traceloop.association.properties." + "k" * 129: "x"}), resource=bodies.SERVICE)
    assert rejected(client, headers, bodies.in_json([sent])) == []
    metadata = LLMRequest.objects.get().metadata
    assert (len(metadata), metadata["service.name"], metadata["062"]) == (64, "gateway", "v" * 256)


def in_json_with(old: str, new: str, *spans: Span) -> bytes:
    """A body in which a text of the maker is replaced by what the maker cannot write."""
    body = bodies.in_json(spans)
    assert old.encode() in body
    return body.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        # Exporters that cut texts cut pairs of surrogates in two.
        ('"gpt-4o"', '"gpt-\\ud83d"', ["invalid"]),
        ('"chat gpt-4o"', '"\\udc00"', []),
        (f'"{START_NS}"', f'"{2**70}"', ["missing"]),
        (f'"{START_NS}"', f"{2**70}", ["missing"]),
        (f'"{START_NS}"', '"soon"', ["missing"]),
        (f'"{START_NS}"', "-5", ["missing"]),
        (f'"{START_NS + 2 * 10**9}"', f"1{'0' * 400}", []),
        (f'"{START_NS + 2 * 10**9}"', f'"1{"0" * 400}"', []),
        ('"intValue": "7"', f'"intValue": {2**70}', ["invalid"]),
        ('"intValue": "7"', f'"intValue": "{2**70}"', ["invalid"]),
        ('"intValue": "7"', f'"intValue": 1{"0" * 4_000}', ["invalid"]),
        ('"intValue": "7"', '"intValue": "7 of them"', ["invalid"]),
        ('"intValue": "7"', '"doubleValue": "1e400"', ["invalid"]),
        ('"intValue": "7"', '"doubleValue": 1e300', ["invalid"]),
        ('"intValue": "7"', '"arrayValue": {"values": [{"intValue": 7}]}', ["invalid"]),
        ('"intValue": "7"', '"kvlistValue": {"values": [1, "x", {"deep": []}]}', []),
        (f'"{TRACE}"', f'"{TRACE[:-1]}\\u0000"', ["request_id"]),
        (f'"{TRACE}"', '"\\ud800"', ["request_id"]),
        (f'"{TRACE}"', "null", ["request_id"]),
    ],
)
def test_hostile_json(client: Client, headers: dict[str, str], old: str, new: str, codes: list[str]) -> None:
    sent = span(chat(**{"gen_ai.usage.input_tokens": 7}), name="chat gpt-4o")
    other = bodies.document([span(chat(**{"gen_ai.request.model": "o3"}), trace_id="1" * 32, end_ns=0)])
    hostile = in_json_with(old, new, sent)
    both = hostile[:-2] + b", " + json.dumps(other["resourceSpans"][0]).encode() + b"]}"
    assert rejected(client, headers, both) == codes
    assert LLMRequest.objects.filter(trace_id="1" * 32).count() == 1
    assert LLMRequest.objects.count() == 2 - len(codes)


@pytest.mark.parametrize(
    "value",
    [
        '{"doubleValue": 1e400}',
        '{"doubleValue": NaN}',
        '{"intValue": 1.5}',
        f'{{"intValue": {"9" * 5_000}}}',
        '{"stringValue": 3}',
        '{"boolValue": "yes"}',
        '{"arrayValue": [1]}',
        "[]",
        '{"arrayValue": ' * 50_000 + "{}" + "}" * 50_000,
        '{"arrayValue": {"values": [' * 50_000,
    ],
)
def test_json_that_no_encoder_writes_is_refused(client: Client, headers: dict[str, str], value: str) -> None:
    body = in_json_with('{"stringValue": "here"}', value, span(chat(here="here")))
    answer = bodies.post(client, body, headers)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert not LLMRequest.objects.exists()


def test_lists_inside_lists(client: Client, headers: dict[str, str]) -> None:
    value: list[Any] = ["x"]
    for _ in range(20):
        value = [value]
    sent = span(chat(**{"langfuse.trace.tags": value, "tag.tags": value}))
    assert rejected(client, headers, bodies.in_json([sent])) == []
    assert rejected(client, headers, bodies.in_protobuf([sent]), binary=True) == []
    assert LLMRequest.objects.get().metadata == {}
    for _ in range(5_000 // 20):
        value = [value]
    answer = bodies.post(client, bodies.in_json([span(chat(deep=value))]), headers)
    assert answer.status_code in (200, 400)


def field(number: int, content: bytes) -> bytes:
    """A field of protobuf with that content."""
    size, length = len(content), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes([*length, size]) + content


@pytest.mark.parametrize(("depth", "status"), [(10, 200), (2_000, 400)])
def test_protobuf_inside_protobuf(client: Client, headers: dict[str, str], depth: int, status: int) -> None:
    value = b""
    for _ in range(depth):
        value = field(5, field(1, value))  # an array of one array
    pair = field(1, b"deep") + field(2, value)
    group = field(2, field(2, field(9, pair)))
    assert bodies.post(client, field(1, group), headers, binary=True).status_code == status


def test_protobuf_with_text_that_is_none(client: Client, headers: dict[str, str]) -> None:
    body = bodies.in_protobuf([span(chat(**{"user.id": "here"}))]).replace(b"here", b"\xff\xfe\xc3\x28")
    assert bodies.post(client, body, headers, binary=True).status_code == 400
