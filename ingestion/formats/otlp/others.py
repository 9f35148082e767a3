"""OTLP metrics and logs: counted and declined, so that SDKs which send them as well stay quiet.

GenAI metrics are aggregates already; no request can be made of them.
"""

from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingestion.formats.base import MalformedError
from ingestion.formats.json_body import malformed_by

_LISTS: Final = {"metrics": "dataPoints", "logs": "logRecords"}
DECLINED: Final = {
    "metrics": "The portal takes traces; metrics are aggregates, no request can be made of them.",
    "logs": "The portal takes traces; logs are not stored.",
}


def count(kind: str, body: bytes, *, binary: bool) -> int:
    """Number of data points or log records of a body. Raises MalformedError."""
    if not binary:
        return _count_json(kind, body)
    try:
        return _count_metrics(body) if kind == "metrics" else _count_logs(body)
    except DecodeError:
        raise MalformedError(f"The body is not an export request of {kind} in protobuf") from None


def _count_metrics(body: bytes) -> int:
    request = ExportMetricsServiceRequest.FromString(body)
    metrics = [one for group in request.resource_metrics for scoped in group.scope_metrics for one in scoped.metrics]
    return sum(len(getattr(one, field).data_points) for one in metrics if (field := one.WhichOneof("data")))


def _count_logs(body: bytes) -> int:
    request = ExportLogsServiceRequest.FromString(body)
    return sum(len(scoped.log_records) for group in request.resource_logs for scoped in group.scope_logs)


def _count_json(kind: str, body: bytes) -> int:
    try:
        return _inside(msgspec.json.decode(body), _LISTS[kind])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed_by(error, body, body) from error


def _inside(value: Any, name: str) -> int:  # noqa: ANN401 - JSON of a sender
    if isinstance(value, list):
        return sum(_inside(part, name) for part in value)
    if not isinstance(value, dict):
        return 0
    return sum(
        len(part) if key == name and isinstance(part, list) else _inside(part, name) for key, part in value.items()
    )
