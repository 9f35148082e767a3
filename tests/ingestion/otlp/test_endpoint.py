"""The OTLP endpoints over HTTP: keys, content types, bodies, answers in the words of the request."""

import base64
import gzip
import io
import json
import random
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from pytest_django import Settings

from ingestion.formats.otlp import json_spans, protobuf
from ingestion.models import GatewayUser, IngestBatch, LLMModel, LLMRequest
from teams.models import Organization
from tests import make
from tests.ingestion.otlp import bodies
from tests.ingestion.otlp.bodies import PATH, post

pytestmark = pytest.mark.django_db
LANGFUSE = "/api/public/otel/v1/traces"


def message_of(answer: Any) -> str:
    """The sentence of a `google.rpc.Status`, in whichever type it came."""
    if answer["Content-Type"] == protobuf.CONTENT_TYPE:
        status = Status.FromString(answer.content)  # that of a span: its message is in the same field
        assert status == Status(message=status.message)
        return str(status.message)
    assert answer["Content-Type"] == json_spans.CONTENT_TYPE
    (name,) = answer.json()
    assert name == "message"
    return str(answer.json()[name])


@pytest.mark.parametrize("path", [PATH, LANGFUSE])
@pytest.mark.parametrize("binary", [True, False])
def test_a_call_is_stored(client: Client, headers: dict[str, str], acme: Organization, binary: bool, path: str) -> None:
    sent = bodies.span(bodies.chat(**{"gen_ai.provider.name": "openai", "user.id": "alice"}))
    body = bodies.in_protobuf([sent]) if binary else bodies.in_json([sent])
    answer = post(client, body, headers, binary=binary, path=path)
    assert (answer.status_code, answer["Content-Type"]) == (
        200,
        "application/x-protobuf" if binary else "application/json",
    )
    assert answer.content == (b"" if binary else b"{}")
    stored = LLMRequest.objects.select_related("organization", "model", "user").get()
    assert (stored.organization, stored.request_id) == (acme, f"{bodies.TRACE}:{sent.span_id}")
    assert (str(stored.model), str(stored.user), stored.latency_us) == ("gpt-4o (openai)", "alice", 2_000_000)
    assert IngestBatch.objects.get().source == "otlp"


@pytest.mark.parametrize("binary", [True, False])
def test_nothing_is_a_valid_body(client: Client, headers: dict[str, str], binary: bool) -> None:
    answer = post(client, b"" if binary else b"{}", headers, binary=binary)
    assert (answer.status_code, answer.content) == (200, b"" if binary else b"{}")
    assert not LLMRequest.objects.exists()


@pytest.mark.parametrize(("binary", "body"), [(True, b"{}"), (False, b""), (False, b"[]"), (False, b"\x0a\x00")])
def test_a_malformed_body_is_final(client: Client, headers: dict[str, str], binary: bool, body: bytes) -> None:
    answer = post(client, body, headers, binary=binary)
    assert answer.status_code == 400
    assert message_of(answer)
    assert not IngestBatch.objects.exists()


def test_the_content_type_alone_decides(client: Client, headers: dict[str, str]) -> None:
    sent = [bodies.span()]
    assert post(client, bodies.in_json(sent), headers, binary=True).status_code == 400
    assert post(client, bodies.in_protobuf(sent), headers).status_code == 400
    for content_type, status in {
        "application/json; charset=utf-8": 200,
        "Application/JSON": 200,
        "application/x-ndjson": 415,
        "text/plain": 415,
        "": 415,
    }.items():
        answer = client.post(PATH, bodies.in_json(sent), content_type=content_type, headers=headers)
        assert answer.status_code == status, content_type
    answer = client.post(PATH, bodies.in_protobuf(sent), content_type="application/protobuf", headers=headers)
    assert answer.status_code == 200


def test_refusals_speak_the_type_of_the_request(client: Client, headers: dict[str, str]) -> None:
    answer = client.post(PATH, b"", content_type="text/plain", headers=headers)
    assert message_of(answer) == "Send application/x-protobuf or application/json."
    long = post(client, b"", headers | {"Content-Encoding": "x" * 500}, binary=True)
    assert (long.status_code, long["Accept-Encoding"]) == (415, "gzip, identity")
    assert message_of(long) == f"Content-Encoding “{'x' * 64}” is not supported; send gzip, identity."


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16_383, 16_384, 40_000])
def test_a_status_of_any_length_is_protobuf(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    assert Status.FromString(protobuf.refusal(text)).message == text


@pytest.mark.parametrize("binary", [True, False])
def test_gzip(client: Client, headers: dict[str, str], binary: bool) -> None:
    spans = [bodies.span() for _ in range(500)]
    body = bodies.in_protobuf(spans) if binary else bodies.in_json(spans)
    answer = post(client, gzip.compress(body), headers | {"Content-Encoding": "gzip"}, binary=binary)
    assert answer.status_code == 200
    assert LLMRequest.objects.count() == 500
    broken = post(client, gzip.compress(body)[:-9], headers | {"Content-Encoding": "gzip"}, binary=binary)
    assert (broken.status_code, message_of(broken)) == (400, "The gzip body ended before its end.")


def test_chunked_bodies(client: Client, headers: dict[str, str]) -> None:
    """The exporter of Node sends them so: without a length."""
    with_gzip = headers | {"Content-Encoding": "gzip"}
    environ: dict[str, Any] = {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(gzip.compress(bodies.in_json([bodies.span()]))),
        "wsgi.input_terminated": True,
    }
    answer = client.generic("POST", PATH, headers=with_gzip, **environ)
    assert answer.status_code == 200
    assert LLMRequest.objects.count() == 1


def test_too_much_is_refused(client: Client, headers: dict[str, str], settings: Settings) -> None:
    spans = [bodies.span() for _ in range(3)]
    settings.INGEST_MAX_RECORDS = 2
    answer = post(client, bodies.in_json(spans), headers)
    assert (answer.status_code, message_of(answer)) == (413, "A batch holds at most 2 records.")
    settings.INGEST_MAX_WIRE_BYTES = 100
    answer = post(client, bodies.in_protobuf(spans), headers, binary=True)
    assert (answer.status_code, message_of(answer)) == (
        413,
        "The body is larger than 100 bytes; send smaller batches.",
    )
    # Random text does not shrink much; a bomb is refused long before it is open.
    settings.INGEST_MAX_WIRE_BYTES, settings.INGEST_MAX_BODY_BYTES = 10_000, 1_000
    packed = gzip.compress(random.Random(1).randbytes(1_001))
    answer = post(client, packed, headers | {"Content-Encoding": "gzip"}, binary=True)
    assert answer.status_code == 413
    assert not LLMRequest.objects.exists()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("path", [PATH, LANGFUSE, "/v1/metrics", "/v1/logs"])
def test_keys(client: Client, headers: dict[str, str], acme: Organization, path: str, binary: bool) -> None:
    sent = [bodies.span(bodies.chat(**{"user.id": "alice"}))]
    body = bodies.in_protobuf(sent) if binary else bodies.in_json(sent)
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
        answer = post(client, body, wrong, path=path, binary=binary)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert message_of(answer) == "Send a valid key: Authorization: Bearer KEY."
    answer = post(client, body, make.bearer(make.key(acme, "read", "export")), path=path, binary=binary)
    assert answer.status_code == 403
    assert message_of(answer) == "This key may not send records; it needs the scope ingest."
    for model in (LLMRequest, IngestBatch, LLMModel, GatewayUser):
        assert not model._default_manager.exists()


@pytest.mark.parametrize("path", [PATH, LANGFUSE])
def test_basic_with_the_key_as_password(client: Client, headers: dict[str, str], path: str) -> None:
    key = headers["Authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"pk-public:{key}".encode()).decode()
    answer = post(client, bodies.in_json([bodies.span()]), {"Authorization": f"Basic {basic}"}, path=path)
    assert answer.status_code == 200
    assert LLMRequest.objects.count() == 1
    swapped = base64.b64encode(f"{key}:sk-secret".encode()).decode()
    assert post(client, b"{}", {"Authorization": f"Basic {swapped}"}, path=path).status_code == 401


@pytest.mark.parametrize("path", [PATH, LANGFUSE, "/v1/metrics", "/v1/logs"])
def test_only_post(client: Client, headers: dict[str, str], path: str) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer["Allow"], message_of(answer)) == (405, "POST", "Send records with POST.")


@pytest.mark.parametrize("path", [PATH, "/v1/metrics", "/v1/logs"])
def test_a_database_that_is_gone_is_tried_again(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("ingestion.views.endpoints.identify_key", refuse)
    answer = post(client, b"{}", headers, path=path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert message_of(answer) == "Nothing was stored. Send the same records again."


@pytest.mark.parametrize("binary", [True, False])
def test_bad_spans_do_not_cost_the_others(client: Client, headers: dict[str, str], binary: bool) -> None:
    good, ignored = bodies.span(), bodies.span({"http.request.method": "POST"})
    bad = bodies.span(bodies.chat(**{"gen_ai.usage.input_tokens": "a few"}))
    unborn, old = bodies.span(start_ns=0), bodies.span(start_ns=10**18, end_ns=10**18)
    sent = [bad, good, ignored, unborn, old]
    body = bodies.in_protobuf(sent) if binary else bodies.in_json(sent)
    answer = post(client, body, headers, binary=binary)
    assert answer.status_code == 200
    message = (
        "invalid: gen_ai.usage.input_tokens must be a whole number. missing: The span has no start. "
        "time_window: started_at must lie between 2026-10-20T12:00Z and 2026-11-24T12:05Z, it is 2001-09-09T01:46:40Z."
    )
    if binary:
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert (partial.rejected_spans, partial.error_message) == (3, message)
    else:
        assert answer.json() == {"partialSuccess": {"rejectedSpans": "3", "errorMessage": message}}
    assert LLMRequest.objects.get().span_id == good.span_id


def test_repeats_and_conflicts_are_successes(client: Client, headers: dict[str, str]) -> None:
    sent = bodies.span()
    changed = bodies.span(bodies.chat(**{"gen_ai.usage.input_tokens": 7}), span_id=sent.span_id)
    for one in (sent, sent, changed):
        answer = post(client, bodies.in_json([one]), headers)
        assert (answer.status_code, answer.json()) == (200, {})
    assert LLMRequest.objects.get().input_tokens is None
    batches = IngestBatch.objects.order_by("pk").values_list("accepted", "duplicate", "conflict")
    assert list(batches) == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_the_answer_repeats_a_reason_once(client: Client, headers: dict[str, str]) -> None:
    answer = post(client, json.dumps(bodies.document([bodies.span(start_ns=0) for _ in range(50)])).encode(), headers)
    partial = {"rejectedSpans": "50", "errorMessage": "missing: The span has no start."}
    assert answer.json() == {"partialSuccess": partial}
