"""Bodies with more records than a batch may hold are refused before the records are in memory."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Final

import pytest
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_django import Settings

from ingestion.formats import NATIVE
from ingestion.formats.base import MalformedError, TooManyError
from ingestion.formats.counting import refuse_too_many
from ingestion.formats.otlp import protobuf
from ingestion.formats.otlp.counting import refuse_too_many_spans
from ingestion.models import IngestBatch
from teams.models import Organization
from tests import make

pytestmark = pytest.mark.django_db
MANY: Final = 700_000
PATHS: Final = {"native": "/api/v1/requests", "litellm": "/api/v1/ingest/litellm", "otlp": "/v1/traces"}
MOST_MEMORY: Final = 20 * 2**20


def field(number: int, payload: bytes) -> bytes:
    """A field of protobuf that holds bytes or a message."""
    size, length = b"", len(payload)
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


def traces(spans: bytes) -> bytes:
    """An export of spans, already encoded as fields."""
    return field(1, field(2, spans))


@pytest.fixture
def headers(acme: Organization) -> dict[str, str]:
    """Of a sender of acme."""
    return make.bearer(make.key(acme, "ingest"))


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is watched meanwhile."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


DENSE: Final = {
    "an array": ("native", b"[" + b"{}," * MANY + b"{}]"),
    "an array of LiteLLM": ("litellm", b"[" + b"{}," * MANY + b"{}]"),
    "lines": ("native", b"{}\n" * MANY),
    "spans": ("otlp", b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * MANY + b"{}]}]}]}"),
}


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("name", DENSE)
def test_dense_bodies_are_refused_before_they_are_in_memory(client: Client, headers: dict[str, str], name: str) -> None:
    kind, body = DENSE[name]
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    answer = client.post(PATHS[kind], body, content_type="application/json", headers=headers)
    assert answer.status_code == 413
    assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY
    assert not IngestBatch.objects.exists()


@pytest.mark.parametrize("part", [field(2, b"") * MANY, field(2, field(9, b"") * 1_000_001), field(3, b"") * 1_000_001])
def test_dense_spans_in_protobuf(client: Client, headers: dict[str, str], part: bytes) -> None:
    answer = client.post("/v1/traces", traces(part), content_type="application/x-protobuf", headers=headers)
    assert answer.status_code == 413


def test_as_many_as_a_batch_may_hold_are_counted_right(settings: Settings) -> None:
    settings.INGEST_MAX_RECORDS = 20
    padding = field(5, b"x" * 20_000)
    refuse_too_many_spans(traces(field(2, padding) * 20))
    refuse_too_many_spans(traces(field(2, padding)) * 20)
    for body in (traces(field(2, padding) * 21), traces(field(2, padding)) * 21):
        with pytest.raises(TooManyError):
            refuse_too_many_spans(body)
    records = [json.dumps({"a": list(range(100))}).encode()] * 20
    refuse_too_many(b"[" + b",".join(records) + b"]")
    with pytest.raises(TooManyError):
        refuse_too_many(b"[" + b",".join([*records, b"{}"]) + b"]")
    with pytest.raises(MalformedError):
        refuse_too_many(b"[1," + b",".join(records) + b"]")


def test_real_exports_pass_and_broken_ones_are_left_to_the_decoder() -> None:
    export = ExportTraceServiceRequest()
    scoped = export.resource_spans.add().scope_spans.add()
    for number in range(3_000):
        span = scoped.spans.add(name=f"span {number}", trace_id=b"t" * 16, start_time_unix_nano=2**63, kind=3)
        span.attributes.add(key="a").value.double_value = 0.5
        span.attributes.add(key="b").value.string_value = "x" * 100
    body = export.SerializeToString()
    refuse_too_many_spans(body)
    assert sum(1 for _ in protobuf.spans(body)) == 3_000
    for cut in (1, 7, 1_000, 100_001):
        for broken in (body[: len(body) - cut], b"\xff" * cut + body):
            refuse_too_many_spans(broken)
            with pytest.raises(MalformedError, match="ExportTraceServiceRequest"):
                list(protobuf.spans(broken))


def test_files_have_no_such_limit(settings: Settings) -> None:
    settings.INGEST_MAX_RECORDS = 20
    assert len(list(NATIVE.read_file(io.BytesIO(b"[" + b"{}," * 2_000 + b"{}]")))) == 2_001
