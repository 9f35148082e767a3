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
from ingestion.formats.counting import is_too_dense, refuse_too_many
from ingestion.formats.json_body import malformed_by
from ingestion.formats.otlp.span import Event, Span

CONTENT_TYPE: Final = "application/json"
_KINDS: Final = {
    name: number for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")  # of a surrogate pair: texts are cut to limits by exporters
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Array(msgspec.Struct, gc=False):
    values: "list[_Value] | None" = None


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: _Array | None = None


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
    trace_id: str | None = None
    span_id: str | None = None
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
    for group in _decode(body).resource_spans or ():
        resource = _attributes(group.resource.attributes if group.resource else None)
        for scoped in group.scope_spans or ():
            for one in scoped.spans or ():
                yield _span(one, resource, scoped.scope.name if scoped.scope else "")


def refuse_too_many_spans(body: bytes) -> None:
    """Raise TooManyError for more spans than a batch may have records, before they are in memory."""
    refuse_too_many(body, _shape)


def _shape(element: Any) -> Any:  # noqa: ANN401 - types
    """A body, its spans being of that type."""
    found = element
    for name in ("Scoped.spans", "Group.scopeSpans", "Request.resourceSpans"):
        kind, _, member = name.partition(".")
        found = msgspec.defstruct(kind, [(member, list[found] | None, None)], gc=False)  # type: ignore[valid-type]
    return found


def _decode(body: bytes) -> _Request:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise MalformedError(f"The body is not an ExportTraceServiceRequest: {error}") from error
    except _UNREADABLE as error:
        if not _HALF.search(body) or is_too_dense(body):
            raise malformed_by(error, body, body) from error
    try:
        return msgspec.convert(json.loads(body), _Request)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise MalformedError("The body is not an ExportTraceServiceRequest in JSON") from error


def _span(one: _Span, resource: dict[str, Any], scope: str) -> Span:
    status = one.status or _Status()
    return Span(
        trace_id=_id(one.trace_id),
        span_id=_id(one.span_id),
        parent_id=_id(one.parent_span_id),
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


def _id(text: str | None) -> str:
    """In lower case; empty where there is none or it is no hex, which refuses the span and not its body."""
    return text.lower() if text and _HEX.fullmatch(text) else ""


def _integer(value: int | str) -> int | None:
    """A number of 64 bits; None for what is none."""
    if isinstance(value, str):
        if not re.fullmatch(r"-?\d{1,20}", value, re.ASCII):
            return None
        value = int(value)
    return value if -(2**63) <= value < 2**64 else None


def _attributes(pairs: Iterable[_Pair] | None) -> dict[str, Any]:
    return {pair.key: value for pair in pairs or () if pair.value and (value := _value(pair.value)) is not None}


def _value(value: _Value) -> Any:  # noqa: ANN401 - a scalar, or a list of scalars
    if value.array_value is None:
        return _scalar(value)
    return [one for part in value.array_value.values or () if (one := _scalar(part)) is not None]


def _scalar(value: _Value) -> str | bool | float | None:
    if value.int_value is not None:
        whole = _integer(value.int_value)
        return str(value.int_value) if whole is None else whole  # what needs a number will refuse the text
    if value.double_value is not None:
        return _double(value.double_value)
    return value.bool_value if value.string_value is None else value.string_value


def _double(value: float | str) -> float | str:
    """Text stands for NaN and the infinities."""
    try:
        return float(value)
    except ValueError:
        return value


_FIELDS: Final = {"spans": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}


def answer(kind: str, rejected: int, message: str) -> bytes:
    """The response to a body of spans, metrics or logs; 64-bit counts are text."""
    partial = {_FIELDS[kind]: str(rejected), "errorMessage": message}
    return json.dumps({"partialSuccess": partial} if rejected or message else {}).encode()


def refusal(message: str) -> bytes:
    """A `google.rpc.Status` with its message."""
    return json.dumps({"message": message}).encode()
