"""Maker of OTLP bodies: spans as the product decodes them, written in protobuf or in JSON, and sent."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Final

from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan

from ingestion.formats.otlp import OTLP_JSON, json_spans, protobuf
from ingestion.formats.otlp.span import Event, Span
from ingestion.records import RejectedError, RequestRecord
from tests import make

PATH: Final = "/v1/traces"
START_NS: Final = int(make.NOW.timestamp()) * 10**9 - 60 * 10**9  # a minute before NOW
TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CLIENT_KIND: Final = 3
SERVICE: Final = {"service.name": "gateway"}
_KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_SCALARS: Final[dict[type, str]] = {bool: "bool", str: "string", int: "int", float: "double", bytes: "bytes"}
_numbers = itertools.count(1)


def chat(**more: Any) -> dict[str, Any]:
    """The attributes of a call in the words of the GenAI conventions, and more or other ones."""
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", **more}


def span(attributes: Mapping[str, Any] | None = None, **fields: Any) -> Span:
    """A call of two seconds that succeeded, with an id of its own, unless told otherwise."""
    defaults: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": f"{next(_numbers):016x}",
        "parent_id": "",
        "name": "chat gpt-4o",
        "kind": CLIENT_KIND,
        "start_ns": START_NS,
        "end_ns": START_NS + 2 * 10**9,
        "is_error": False,
        "message": "",
        "attributes": chat() if attributes is None else dict(attributes),
        "events": [],
        "resource": {},
        "scope": "",
    }
    return Span(**(defaults | fields))


def failed(message: str = "", *, exception: Mapping[str, Any] | None = None, **attributes: Any) -> Span:
    """A call that failed, with the event of its exception."""
    events = [] if exception is None else [Event("exception", START_NS, dict(exception))]
    return span(chat(**attributes), is_error=True, message=message, events=events)


def in_protobuf(spans: Iterable[Span]) -> bytes:
    """An ExportTraceServiceRequest; every span has a resource and a scope of its own."""
    groups = []
    for one in spans:
        scoped = ScopeSpans(spans=[_protobuf_span(one)])
        scoped.scope.name = one.scope
        groups.append(ResourceSpans(resource=Resource(attributes=_pairs(one.resource)), scope_spans=[scoped]))
    return bytes(ExportTraceServiceRequest(resource_spans=groups).SerializeToString())


def _protobuf_span(one: Span) -> ProtobufSpan:
    return ProtobufSpan(
        trace_id=bytes.fromhex(one.trace_id),
        span_id=bytes.fromhex(one.span_id),
        parent_span_id=bytes.fromhex(one.parent_id),
        name=one.name,
        kind=ProtobufSpan.SpanKind.Name(one.kind),  # type: ignore[arg-type]  # names are taken too
        start_time_unix_nano=one.start_ns,
        end_time_unix_nano=one.end_ns,
        attributes=_pairs(one.attributes),
        events=[
            ProtobufSpan.Event(name=event.name, time_unix_nano=event.time_ns, attributes=_pairs(event.attributes))
            for event in one.events
        ],
        status=Status(code="STATUS_CODE_ERROR" if one.is_error else "STATUS_CODE_UNSET", message=one.message),  # type: ignore[arg-type]  # as above
    )


def _pairs(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_any(value)) for name, value in values.items()]


def _any(value: object) -> AnyValue:
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_any(one) for one in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
    return AnyValue(**{f"{_SCALARS[type(value)]}_value": value})  # type: ignore[arg-type]  # the table says which


def in_json(spans: Iterable[Span], *, texts: bool = True, names: bool = False, upper: bool = False) -> bytes:
    """The same in JSON: integers of 64 bits as `texts` or numbers, enumerations as `names` or numbers."""
    return json.dumps(document(spans, texts=texts, names=names, upper=upper)).encode()


def document(spans: Iterable[Span], *, texts: bool = True, names: bool = False, upper: bool = False) -> dict[str, Any]:
    """What `in_json` writes."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _json_pairs(one.resource, texts=texts)},
                "scopeSpans": [
                    {"scope": {"name": one.scope}, "spans": [_json_span(one, texts=texts, names=names, upper=upper)]}
                ],
            }
            for one in spans
        ]
    }


def _json_span(one: Span, *, texts: bool, names: bool, upper: bool) -> dict[str, Any]:
    whole = str if texts else int
    ids = {"traceId": one.trace_id, "spanId": one.span_id, "parentSpanId": one.parent_id}
    code = 2 * one.is_error
    return {
        **{name: value.upper() if upper else value for name, value in ids.items()},
        "name": one.name,
        "kind": f"SPAN_KIND_{_KINDS[one.kind]}" if names else one.kind,
        "startTimeUnixNano": whole(one.start_ns),
        "endTimeUnixNano": whole(one.end_ns),
        "attributes": _json_pairs(one.attributes, texts=texts),
        "events": [
            {
                "name": event.name,
                "timeUnixNano": whole(event.time_ns),
                "attributes": _json_pairs(event.attributes, texts=texts),
            }
            for event in one.events
        ],
        "status": {
            "code": ("STATUS_CODE_ERROR" if one.is_error else "STATUS_CODE_UNSET") if names else code,
            "message": one.message,
        },
    }


def _json_pairs(values: Mapping[str, Any], *, texts: bool) -> list[dict[str, Any]]:
    return [{"key": name, "value": _json_any(value, texts=texts)} for name, value in values.items()]


def _json_any(value: object, *, texts: bool) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_any(one, texts=texts) for one in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _json_pairs(value, texts=texts)}}
    if isinstance(value, bytes):
        return {"bytesValue": value.hex()}
    if isinstance(value, float) and not isfinite(value):
        return {"doubleValue": str(value).replace("nan", "NaN").replace("inf", "Infinity")}
    return {f"{_SCALARS[type(value)]}Value": str(value) if type(value) is int and texts else value}


def records(*spans: Span) -> list[RequestRecord | RejectedError]:
    """What the product makes of the spans, in their order."""
    return [item for _, item in OTLP_JSON.read(in_json(spans))]


def record(*spans: Span) -> RequestRecord:
    """The one record of the spans."""
    (found,) = records(*spans)
    assert isinstance(found, RequestRecord), found
    return found


def told(sent: Span) -> dict[str, Any] | None:
    """The attributes of a span that count tokens, as they were sent."""
    names = r"(gen_ai\.usage|llm\.usage|llm\.token_count|ai\.usage)\..+|tfy\.model\.metric\.\w+_tokens"
    return {name: value for name, value in sent.attributes.items() if re.fullmatch(names, name)} or None


def expected(sent: Span, **fields: Any) -> RequestRecord:
    """The record of a span that succeeded in two seconds; of a chat unless told otherwise."""
    defaults: dict[str, Any] = {"metadata": SERVICE, "latency_ms": 2_000.0, "status_code": 200}
    defaults |= {"request_id": sent.request_id, "started_at": sent.started_at}
    defaults["usage"] = told(sent)
    return RequestRecord(**(defaults | {"trace_id": sent.trace_id, "span_id": sent.span_id} | fields))


def post(client: Client, body: bytes, headers: Mapping[str, str], *, binary: bool = False, path: str = PATH) -> Any:
    """The answer to a body."""
    content_type = protobuf.CONTENT_TYPE if binary else json_spans.CONTENT_TYPE
    # Django's client leaves the type out where the body is empty, unless it is told twice.
    return client.generic("POST", path, body, headers=dict(headers), CONTENT_TYPE=content_type)
