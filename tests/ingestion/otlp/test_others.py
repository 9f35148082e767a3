"""Metrics and logs are counted and declined, never refused."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from ingestion.models import IngestBatch
from tests.ingestion.otlp import bodies

pytestmark = pytest.mark.django_db
METRICS, LOGS = "/v1/metrics", "/v1/logs"
NO_METRICS = "The portal takes traces; metrics are aggregates, no request can be made of them."
NO_LOGS = "The portal takes traces; logs are not stored."
KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def metrics() -> bytes:
    """Two data points of every kind, and a metric without any."""
    request = ExportMetricsServiceRequest()
    scoped = request.resource_metrics.add().scope_metrics.add()
    for kind in KINDS:
        metric = scoped.metrics.add(name=kind)
        getattr(metric, kind).data_points.add()
        getattr(metric, kind).data_points.add()
    scoped.metrics.add(name="empty")
    return bytes(request.SerializeToString())


def logs() -> bytes:
    request = ExportLogsServiceRequest()
    for _ in range(3):
        request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    return bytes(request.SerializeToString())


def test_metrics_in_protobuf(client: Client, headers: dict[str, str]) -> None:
    answer = bodies.post(client, metrics(), headers, binary=True, path=METRICS)
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-protobuf")
    assert (partial.rejected_data_points, partial.error_message) == (10, NO_METRICS)


def test_logs_in_protobuf(client: Client, headers: dict[str, str]) -> None:
    packed = gzip.compress(logs())
    answer = bodies.post(client, packed, headers | {"Content-Encoding": "gzip"}, binary=True, path=LOGS)
    partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-protobuf")
    assert (partial.rejected_log_records, partial.error_message) == (3, NO_LOGS)


@pytest.mark.parametrize(
    ("path", "body", "partial"),
    [
        (
            METRICS,
            {
                "resourceMetrics": [
                    {
                        "scopeMetrics": [
                            {"metrics": [{"sum": {"dataPoints": [{}, {}]}}, {"gauge": {"dataPoints": [{}]}}, {}]}
                        ]
                    }
                ]
            },
            {"rejectedDataPoints": "3", "errorMessage": NO_METRICS},
        ),
        (
            LOGS,
            {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {"body": {"stringValue": "x"}}]}]}]},
            {"rejectedLogRecords": "2", "errorMessage": NO_LOGS},
        ),
    ],
)
def test_in_json(client: Client, headers: dict[str, str], path: str, body: Any, partial: dict[str, str]) -> None:
    answer = bodies.post(client, json.dumps(body).encode(), headers, path=path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"partialSuccess": partial}
    assert not IngestBatch.objects.exists()


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_nothing_is_no_reason_to_complain(client: Client, headers: dict[str, str], path: str) -> None:
    for binary, body, answered in ((True, b"", b""), (False, b"{}", b"{}")):
        answer = bodies.post(client, body, headers, binary=binary, path=path)
        assert (answer.status_code, answer.content) == (200, answered)


@pytest.mark.parametrize("path", [METRICS, LOGS])
@pytest.mark.parametrize(
    ("binary", "body"), [(True, b"\xff"), (True, b"{}"), (False, b""), (False, b"{"), (False, b"[" * 100_000)]
)
def test_what_cannot_be_read_is_refused(
    client: Client, headers: dict[str, str], path: str, binary: bool, body: bytes
) -> None:
    answer = bodies.post(client, body, headers, binary=binary, path=path)
    assert answer.status_code == 400
    assert answer["Content-Type"] == ("application/x-protobuf" if binary else "application/json")


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_other_types_and_encodings(client: Client, headers: dict[str, str], path: str) -> None:
    assert client.post(path, b"{}", content_type="text/plain", headers=headers).status_code == 415
    answer = bodies.post(client, b"{}", headers | {"Content-Encoding": "br"}, path=path)
    assert (answer.status_code, answer["Accept-Encoding"]) == (415, "gzip, identity")


def test_deep_json_is_counted_or_refused(client: Client, headers: dict[str, str]) -> None:
    for depth in (100, 400, 900, 5_000):
        body = b'{"logRecords": [' * depth + b"]}" * depth
        answer = bodies.post(client, body, headers, path=LOGS)
        assert answer.status_code in (200, 400), depth
