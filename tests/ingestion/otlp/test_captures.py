"""Bodies of real exporters, where they are, replayed as they are: the figures were computed outside the product."""

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db.models import Sum
from django.test import Client
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingestion.models import LLMRequest
from teams.models import Organization
from teams.services import IssuedKey
from tests import make

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "captures"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the samples are not beside the repository"),
]


def replay(client: Client, key: IssuedKey, capture: str, number: str) -> Any:
    """The answer to one captured request with its own headers, but for the key; chunked bodies come with a length."""
    folder = CAPTURES / capture / "raw"
    request = json.loads((folder / f"{number}.req.json").read_text())
    headers = {name.lower(): value for name, value in request["headers"]}
    dropped = ("host", "authorization", "content-length", "connection", "transfer-encoding", "content-type")
    kept = {name: value for name, value in headers.items() if name not in dropped}
    with time_machine.travel(request["received_at"], tick=False):
        return client.post(
            request["path"],
            (folder / f"{number}.body").read_bytes(),
            content_type=headers["content-type"],
            headers=kept | make.bearer(key),
        )


def expected(capture: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = json.loads((CAPTURES / capture / "expected.json").read_text())["payload_calls"]
    return calls


def check_rows(organization: Organization, capture: str) -> None:
    rows = {
        row.request_id: row
        for row in LLMRequest.objects.filter(organization=organization).select_related("model", "error_type", "team")
    }
    calls = expected(capture)
    assert len(rows) == len(calls)
    for call in calls:
        row = rows[f"{call['trace_id']}:{call['span_id']}"]
        assert row.model is not None
        assert (row.model.name, row.model.provider) == (call["response_model"] or call["model"], "openai")
        assert (row.input_tokens, row.output_tokens) == (call["input_tokens"], call["output_tokens"])
        assert row.latency_us == pytest.approx(call["latency_ms"] * 1000, abs=1)
        assert (row.error_type and row.error_type.name) == call["error_type"]
        assert row.failed is (call["error_type"] is not None)
        assert row.metadata["service.name"] == call["service"]
        assert row.ttft_us is None


def test_python(client: Client, acme: Organization, ingest_key: IssuedKey) -> None:
    for _ in range(2):
        answer = replay(client, ingest_key, "otel-openai-v2", "001")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-protobuf")
        assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
        check_rows(acme, "otel-openai-v2")
    sums = LLMRequest.objects.aggregate(input=Sum("input_tokens"), output=Sum("output_tokens"))
    assert sums == {"input": 135, "output": 47}
    failures = LLMRequest.objects.filter(failed=True).values_list("error_type__name", "status_code")
    assert set(failures) == {
        ("RateLimitError", 429),
        ("InternalServerError", 500),
        ("AuthenticationError", 401),
        ("BadRequestError", 400),
    }
    assert {row.metadata["deployment.environment.name"] for row in LLMRequest.objects.all()} == {"staging"}
    assert set(LLMRequest.objects.values_list("team__name", flat=True)) == {"search"}


def test_metrics_of_python_are_declined(client: Client, ingest_key: IssuedKey) -> None:
    answer = replay(client, ingest_key, "otel-openai-v2", "002")
    assert answer.status_code == 200
    response = ExportMetricsServiceResponse.FromString(answer.content)
    assert response.partial_success.rejected_data_points > 0
    assert "traces" in response.partial_success.error_message
    assert not LLMRequest.objects.exists()


def test_javascript(client: Client, acme: Organization, ingest_key: IssuedKey) -> None:
    for _ in range(2):
        answer = replay(client, ingest_key, "js-otel-openai", "001")
        assert (answer.status_code, answer["Content-Type"], answer.json()) == (200, "application/json", {})
        check_rows(acme, "js-otel-openai")
    sums = LLMRequest.objects.aggregate(input=Sum("input_tokens"), output=Sum("output_tokens"))
    assert sums == {"input": 79, "output": 27}
    failures = LLMRequest.objects.filter(failed=True).values_list("error_type__name", "status_code")
    assert set(failures) == {("RateLimitError", 429), ("InternalServerError", 500)}
