"""ExportTraceServiceRequest in JSON to spans, and the answers in JSON.

Not protobuf's own JSON reader: it takes the hex ids of OTLP for base64. 64-bit integers come as text or as numbers,
enumerations as numbers or names; unknown fields are ignored.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from ingestion.formats.base import MalformedError
from ingestion.formats.json_body import malformed_by
from ingestion.formats.otlp.span import Event, Span

CONTENT_TYPE: Final = "application/json"
_KINDS: Final = {
    name: number for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: dict[str, Any] | None = None


class _Pair(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _Event(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    time_unix_nano: int | str = 0
    attributes: list[_Pair] | None = None


class _Status(msgspec.Struct, gc=False):
    code: int | str = 0
    message: str = ""


class _Span(msgspec.Struct, rename="camel", gc=False):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Named(msgspec.Struct, gc=False):
    name: str = ""


class _Attributed(msgspec.Struct, gc=False):
    attributes: list[_Pair] | None = None


class _Scoped(msgspec.Struct, gc=False):
    scope: _Named | None = None
    spans: list[_Span] | None = None


class _Group(msgspec.Struct, rename="camel", gc=False):
    resource: _Attributed | None = None
    scope_spans: list[_Scoped] | None = None


class _Request(msgspec.Struct, rename="camel", gc=False):
    resource_spans: list[_Group] | None = None


_decoder: Final = msgspec.json.Decoder(_Request)


def spans(body: bytes) -> Iterator[Span]:
    """All spans of a body. Raises MalformedError."""
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise MalformedError(f"The body is not an ExportTraceServiceRequest: {error}") from error
    except _UNREADABLE as error:
        raise malformed_by(error, body, body) from error
    for group in request.resource_spans or ():
        resource = _attributes(group.resource.attributes if group.resource else None)
        for scoped in group.scope_spans or ():
            for one in scoped.spans or ():
                yield _span(one, resource, scoped.scope.name if scoped.scope else "")


def _span(one: _Span, resource: dict[str, Any], scope: str) -> Span:
    status = one.status or _Status()
    return Span(
        trace_id=_id(one.trace_id),
        span_id=_id(one.span_id),
        parent_id=_id(one.parent_span_id or ""),
        name=one.name,
        kind=one.kind if isinstance(one.kind, int) else _KINDS.get(one.kind.removeprefix("SPAN_KIND_"), 0),
        start_ns=_integer(one.start_time_unix_nano) or 0,
        end_ns=_integer(one.end_time_unix_nano) or 0,
        is_error=status.code in (2, "2", "STATUS_CODE_ERROR"),
        message=status.message,
        attributes=_attributes(one.attributes),
        events=[
            Event(event.name, _integer(event.time_unix_nano) or 0, _attributes(event.attributes))
            for event in one.events or ()
        ],
        resource=resource,
        scope=scope,
    )


def _id(text: str) -> str:
    return text.lower() if _HEX.fullmatch(text) else ""


def _integer(value: int | str) -> int | None:
    if isinstance(value, int):
        return value
    return int(value) if re.fullmatch(r"-?\d{1,20}", value, re.ASCII) else None


def _attributes(pairs: Iterable[_Pair] | None) -> dict[str, Any]:
    return {pair.key: value for pair in pairs or () if pair.value and (value := _value(pair.value)) is not None}


def _value(value: _Value) -> Any:  # noqa: ANN401 - any scalar
    if value.int_value is not None:
        return _integer(value.int_value)
    for scalar in (value.string_value, value.bool_value, value.double_value):
        if scalar is not None:
            return scalar
    if value.array_value is None:
        return None
    parts = value.array_value.get("values")
    scalars = [_scalar(part) for part in parts] if isinstance(parts, list) else []
    return [one for one in scalars if one is not None]


def _scalar(part: object) -> Any:  # noqa: ANN401 - any scalar
    if not isinstance(part, dict):
        return None
    return next((part[name] for name in ("stringValue", "boolValue", "intValue", "doubleValue") if name in part), None)


_FIELDS: Final = {"spans": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}


def answer(kind: str, rejected: int, message: str) -> bytes:
    """The response to a body of spans, metrics or logs; 64-bit counts are text."""
    partial = {_FIELDS[kind]: str(rejected), "errorMessage": message}
    return json.dumps({"partialSuccess": partial} if rejected or message else {}).encode()


def refusal(message: str) -> bytes:
    """A `google.rpc.Status` with its message."""
    return json.dumps({"message": message}).encode()
