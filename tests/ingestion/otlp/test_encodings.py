"""Protobuf and JSON: the same spans out of both, and nothing but records out of odd ones."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.formats import MalformedError
from ingestion.formats.otlp import json_spans, protobuf
from ingestion.formats.otlp.span import Event, Span
from ingestion.records import Code, RejectedError, RequestRecord
from tests.ingestion.otlp import bodies

# Protobuf holds no half surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.integers(0, 2**64 - 1)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, width=64))
ATTRIBUTES = st.dictionaries(TEXTS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=5)


def ids(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


SPANS = st.builds(
    Span,
    trace_id=ids(32),
    span_id=ids(16),
    parent_id=st.one_of(st.just(""), ids(16)),
    name=TEXTS,
    kind=st.integers(0, 5),
    start_ns=MOMENTS,
    end_ns=MOMENTS,
    is_error=st.booleans(),
    message=TEXTS,
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(Event, TEXTS, MOMENTS, ATTRIBUTES), max_size=2),
    resource=ATTRIBUTES,
    scope=TEXTS,
)


@given(st.lists(SPANS, max_size=3), st.booleans(), st.booleans(), st.booleans())
def test_both_encodings_hold_the_same_spans(spans: list[Span], texts: bool, names: bool, upper: bool) -> None:
    assert list(protobuf.spans(bodies.in_protobuf(spans))) == spans
    assert list(json_spans.spans(bodies.in_json(spans, texts=texts, names=names, upper=upper))) == spans


def test_what_is_no_scalar_is_left_out() -> None:
    sent = bodies.span({"a": {"b": "c"}, "bytes": b"x", "list": ["a", ["b"], {"c": "d"}, 3], "nothing": [], "n": 1})
    kept = bodies.span({"list": ["a", 3], "nothing": [], "n": 1}, span_id=sent.span_id)
    assert list(protobuf.spans(bodies.in_protobuf([sent]))) == [kept]
    assert list(json_spans.spans(bodies.in_json([sent]))) == [kept]


def test_unknown_fields_are_ignored() -> None:
    sent = bodies.span()
    body = bodies.document([sent])
    (group,) = body["resourceSpans"]
    (scoped,) = group["scopeSpans"]
    (one,) = scoped["spans"]
    for place in (body, group, group["resource"], scoped, scoped["scope"], one, one["status"], *one["attributes"]):
        place["later"] = {"version": [1, None]}
    assert list(json_spans.spans(json.dumps(body).encode())) == [sent]
    # Field 15 is none of the message's.
    assert list(protobuf.spans(bodies.in_protobuf([sent]) + b"\x7a\x03new")) == [sent]


def test_what_is_absent_has_its_default() -> None:
    bare = Span("", "", "", "", 0, 0, 0, False, "", {}, [], {}, "")
    in_json = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}'
    assert list(json_spans.spans(in_json)) == [bare]
    nulls = (
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": null, "spanId": null, "parentSpanId": null}]}]}]}'
    )
    assert list(json_spans.spans(nulls)) == [bare]
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add()
    assert list(protobuf.spans(request.SerializeToString())) == [bare]
    for empty in (b"{}", b'{"resourceSpans": null}', b'{"resourceSpans": [{"resource": null, "scopeSpans": [{}]}]}'):
        assert list(json_spans.spans(empty)) == []


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ({"intValue": 13}, 13),
        ({"intValue": "13"}, 13),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"doubleValue": 3}, 3.0),
        ({"doubleValue": "1.5"}, 1.5),
        ({"doubleValue": "-Infinity"}, float("-inf")),
        # Kept as text, so that what needs a number refuses it.
        ({"intValue": "many"}, "many"),
        ({"intValue": 2**70}, str(2**70)),
        ({"doubleValue": "much"}, "much"),
        ({}, None),
        (None, None),
    ],
)
def test_numbers_in_json(value: Any, decoded: object) -> None:
    body = bodies.document([bodies.span()])
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [{"key": "a", "value": value}]
    (found,) = json_spans.spans(json.dumps(body).encode())
    assert found.attributes.get("a") == decoded


@pytest.mark.parametrize(("kind", "number"), [("SPAN_KIND_CLIENT", 3), ("CLIENT", 3), (3, 3), ("SPAN_KIND_NEW", 0)])
def test_kinds_in_json(kind: object, number: int) -> None:
    body = bodies.document([bodies.span()])
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] = kind
    assert [one.kind for one in json_spans.spans(json.dumps(body).encode())] == [number]


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"[]", b"{", b'{"resourceSpans": 1}', b'{"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}',
     b"\xff", b'{"a": "\\ud800}', b"[" * 100_000, b'{"\\ud800": ' + b"[" * 100_000, b'["\\ud800"]'],
)  # fmt: skip
def test_bodies_that_are_no_json_of_traces(body: bytes) -> None:
    with pytest.raises(MalformedError):
        list(json_spans.spans(body))


@pytest.mark.parametrize("body", [b"{}", b"\x0a", b"\x0a\x05abc", b"\xff" * 20, b"\x0a\x02\x12\x7f"])
def test_bodies_that_are_no_protobuf_of_traces(body: bytes) -> None:
    with pytest.raises(MalformedError):
        list(protobuf.spans(body))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"trace_id": "0" * 32}, "traceId"),
        ({"trace_id": ""}, "traceId"),
        ({"trace_id": "ab"}, "traceId"),
        ({"trace_id": "ab" * 17}, "traceId"),
        # The 24 bytes that a reader of base64 makes of 32 hex digits.
        ({"trace_id": "d1" * 24}, "traceId"),
        ({"span_id": "0" * 16}, "spanId"),
        ({"span_id": ""}, "spanId"),
        ({"span_id": "ab" * 7}, "spanId"),
        ({"span_id": "ab" * 16}, "spanId"),
    ],
)
def test_a_call_needs_its_ids(fields: dict[str, Any], named: str) -> None:
    sent = [bodies.span(**fields), bodies.span()]
    for body, spans in ((bodies.in_json(sent), json_spans.spans), (bodies.in_protobuf(sent), protobuf.spans)):
        assert [one.trace_id for one in spans(body)] == [one.trace_id for one in sent]
    bad, good = bodies.records(*sent)
    assert isinstance(bad, RejectedError)
    assert (bad.code, bad.field) == (Code.REQUEST_ID, named)
    assert bad.message.startswith(f"{named} must be ")
    assert isinstance(good, RequestRecord)


@pytest.mark.parametrize(
    "trace_id", ["z" * 32, bodies.TRACE[:-1] + "g", "CvdlGRbNQ92ESOshHIAxnA==", f" {bodies.TRACE}"]
)
def test_ids_in_json_are_hex(trace_id: str) -> None:
    (item,) = bodies.records(bodies.span(trace_id=trace_id))
    assert isinstance(item, RejectedError)
    assert (item.code, item.field) == (Code.REQUEST_ID, "traceId")


def test_ids_are_compared_in_lower_case() -> None:
    sent = bodies.span(span_id="00f067aa0ba902b7")
    (found,) = json_spans.spans(bodies.in_json([sent], upper=True))
    assert found == sent
    assert not set(found.request_id) & set(string.ascii_uppercase)
    assert found.request_id == f"{bodies.TRACE}:00f067aa0ba902b7"
