"""ExportTraceServiceRequest in protobuf to spans, and the answers in protobuf."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from ingestion.formats.base import MalformedError
from ingestion.formats.otlp.span import Event, Span

CONTENT_TYPE: Final = "application/x-protobuf"
_ERROR: Final = 2  # STATUS_CODE_ERROR
_SCALARS: Final = frozenset({"string_value", "bool_value", "int_value", "double_value"})


def spans(body: bytes) -> Iterator[Span]:
    """All spans of a body. Raises MalformedError."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise MalformedError("The body is not an ExportTraceServiceRequest in protobuf") from None
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for one in scoped.spans:
                yield _span(one, resource, scoped.scope.name)


def _span(one: Any, resource: dict[str, Any], scope: str) -> Span:  # noqa: ANN401 - generated classes are untyped
    return Span(
        trace_id=one.trace_id.hex(),
        span_id=one.span_id.hex(),
        parent_id=one.parent_span_id.hex(),
        name=one.name,
        kind=one.kind,
        start_ns=one.start_time_unix_nano,
        end_ns=one.end_time_unix_nano,
        is_error=one.status.code == _ERROR,
        message=one.status.message,
        attributes=_attributes(one.attributes),
        events=[Event(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in one.events],
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: value for pair in pairs if (value := _value(pair.value)) is not None}


def _value(value: Any) -> Any:  # noqa: ANN401
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)
    if kind == "array_value":
        parts = [_value(part) for part in value.array_value.values]
        return [part for part in parts if part is not None and not isinstance(part, list)]
    return None


_ANSWERS: Final[dict[str, tuple[Any, str]]] = {
    "spans": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
}


def answer(kind: str, rejected: int, message: str) -> bytes:
    """The response to a body of spans, metrics or logs; nothing rejected and no message is an empty one."""
    response_class, field = _ANSWERS[kind]
    response = response_class()
    if rejected or message:
        setattr(response.partial_success, field, rejected)
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def refusal(message: str) -> bytes:
    """A `google.rpc.Status` with its message (field 2), the form that OTLP prescribes for failures."""
    text = message.encode()
    size, parts = len(text), bytearray(b"\x12")
    while size > 0x7F:
        parts.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(parts) + bytes([size]) + text
