"""Envoy AI Gateway's access log over HTTP, as a log shipper posts it."""

import gzip
from typing import Any

import pytest
from django.test import Client

from ingestion.models import IngestBatch, LLMRequest
from teams.models import Organization
from tests.ingestion.exports.rows import as_lines, envoy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
PATH = "/api/v1/ingest/envoy"


def post(client: Client, body: bytes, headers: dict[str, str], **more: str) -> Any:
    return client.post(PATH, body, content_type="application/x-ndjson", headers={**headers, **more})


def test_lines_are_stored_and_repeats_are_duplicates(client: Client, headers: dict[str, str]) -> None:
    page = envoy(**{"gen_ai.request.model": "-", "gen_ai.request.model_override": "-", "x-envoy-origin-path": "/mcp"})
    body = as_lines(envoy(), page, envoy(**{"x-request-id": "b", "duration": "long"}))
    answer = post(client, gzip.compress(body), headers, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicate"]) == (1, 0)
    assert [(one["index"], one["code"], one["field"]) for one in told["rejected"]] == [(2, "invalid", "duration")]
    assert post(client, body, headers).json()["duplicate"] == 1
    stored = LLMRequest.objects.get()
    assert (stored.request_id, stored.input_tokens, stored.latency_us) == ("83b63da3-45a9", 72, 718_000)
    assert IngestBatch.objects.first().source == "envoy"  # type: ignore[union-attr]


def test_without_a_key_nothing_is_read(client: Client, acme: Organization) -> None:
    assert post(client, as_lines(envoy()), {}).status_code == 401
    assert not LLMRequest.objects.exists()


def test_what_is_no_json_is_refused(client: Client, headers: dict[str, str]) -> None:
    answer = post(client, b"[2026-11-23] GET /v1 200", headers)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
