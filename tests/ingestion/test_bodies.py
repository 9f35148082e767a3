"""Bodies that are cut, and more of them than the memory holds."""

import gzip
import io
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from ingestion.models import IngestBatch, LLMRequest
from ingestion.views.bodies import share

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
NATIVE, TRACES, METRICS = "/api/v1/requests", "/v1/traces", "/v1/metrics"
RECORD = {"request_id": "a", "started_at": "2026-11-24T11:59:00Z", "model": "gpt-4o"}


def post(client: Client, body: bytes, headers: dict[str, str], path: str = NATIVE, **more: Any) -> Any:
    return client.generic("POST", path, body, "application/json", headers=headers, **more)


def test_lines_before_a_cut_are_not_stored(client: Client, headers: dict[str, str]) -> None:
    lines = b"\n".join(json.dumps(RECORD | {"request_id": name}).encode() for name in "abc") + b"\n"
    arrived = lines[: lines.index(b"\n") + 1]
    for part in (arrived, lines[:-1]):
        cut: dict[str, Any] = {"CONTENT_LENGTH": str(len(lines)), "wsgi.input": io.BytesIO(part)}
        answer = post(client, b"", headers, **cut)
        assert answer.status_code == 400
        assert "ended before its end" in answer.json()["detail"]
    assert not LLMRequest.objects.exists()
    assert not IngestBatch.objects.exists()
    assert post(client, lines, headers).json()["accepted"] == 3


@pytest.mark.parametrize("path", [NATIVE, TRACES, METRICS])
@pytest.mark.parametrize("zipped", [False, True])
def test_what_does_not_fit_beside_others_comes_back_later(
    client: Client, headers: dict[str, str], settings: Settings, path: str, zipped: bool
) -> None:
    settings.INGEST_MAX_BYTES_AT_ONCE = 10_000
    body = json.dumps([RECORD] if path == NATIVE else {}).encode().ljust(6_000)
    if zipped:
        body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
    with share() as other:
        other.grow(5_000, most=10_000)
        answer = post(client, body, headers, path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert not LLMRequest.objects.exists()
    assert post(client, body, headers, path).status_code == 200
    # Everything was given back: one alone may hold more than all together.
    settings.INGEST_MAX_BYTES_AT_ONCE = 10
    assert post(client, body, headers, path).status_code == 200
