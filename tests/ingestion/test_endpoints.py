"""The ingest endpoints over HTTP: keys, bodies, limits, answers."""

import gzip
import io
import json
import zlib
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from ingestion import services
from ingestion.models import GatewayUser, IngestBatch, LLMModel, LLMRequest
from metricsportal.lib import problems
from teams.models import Organization
from tests import make
from tests.ingestion.test_litellm import payload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_frozen_clock")]
NATIVE, LITELLM = "/api/v1/requests", "/api/v1/ingest/litellm"
RECORD = {"request_id": "a", "started_at": "2026-11-24T11:59:00Z", "model": "gpt-4o", "user": "alice"}


def post(client: Client, body: object, headers: dict[str, str], path: str = NATIVE, **more: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, data, content_type="application/json", headers={**headers, **more})


def test_a_batch_is_answered_with_its_outcome(client: Client, headers: dict[str, str]) -> None:
    batch = [
        RECORD,
        RECORD,
        RECORD | {"model": "o3"},
        RECORD | {"request_id": "b", "tokens": 3},
        RECORD | {"request_id": "c", "started_at": "2027-01-01T00:00:00Z"},
        RECORD | {"request_id": "d"},
    ]
    answer = post(client, batch, headers)
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "duplicate": 1,
        "conflict": 1,
        "rejected": [
            {
                "index": 3,
                "code": "unknown_field",
                "field": "tokens",
                "message": "“tokens” is not a field of a request.",
            },
            {
                "index": 4,
                "code": "time_window",
                "field": "started_at",
                "message": "started_at must lie between 2026-10-20T12:00Z and 2026-11-24T12:05Z, "
                "it is 2027-01-01T00:00:00Z.",
            },
        ],
    }
    assert sorted(LLMRequest.objects.values_list("request_id", flat=True)) == ["a", "d"]
    assert IngestBatch.objects.get().source == "native"
    again = post(client, batch, headers).json()
    assert (again["accepted"], again["duplicate"], again["conflict"]) == (0, 3, 1)


def test_lines_and_gzip(client: Client, headers: dict[str, str]) -> None:
    lines = "\n".join(json.dumps(RECORD | {"request_id": f"r{number}"}) for number in range(1_000))
    answer = post(client, gzip.compress(lines.encode()), headers, **{"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 1_000 == LLMRequest.objects.count()


def test_litellm(client: Client, headers: dict[str, str]) -> None:
    start = datetime.timestamp(make.NOW) - 60
    sent = payload(startTime=start, endTime=start + 1)
    answer = post(client, [sent], headers, LITELLM)
    assert answer.json() == {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": []}
    stored = LLMRequest.objects.get()
    assert (stored.request_id, str(stored.model), str(stored.team)) == ("call-1", "gpt-4o-mini (openai)", "Search")
    assert (stored.cost_state, stored.cost) == ("reported", 13_500_000)
    texts = {name: str(value) for name, value in sent.items()}
    refused = post(client, [texts], headers, LITELLM)
    assert refused.status_code == 422
    assert "generic_api_use_v1" in refused.json()["detail"]


def test_nothing_is_created_without_a_valid_key(client: Client, acme: Organization, rival: Organization) -> None:
    revoked = make.key(acme, "ingest")
    revoked.key.revoked_at = make.NOW
    revoked.key.save()
    expired = make.key(acme, "ingest")
    expired.key.expires_at = make.NOW
    expired.key.save()
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer"}, make.bearer(revoked),
                    make.bearer(expired), {"Authorization": "Basic eDp4"}):  # fmt: skip
        answer = post(client, [RECORD], headers)
        assert answer.status_code == 401, headers
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer["Content-Type"] == problems.CONTENT_TYPE
    for model in (LLMRequest, IngestBatch, LLMModel, GatewayUser):
        assert not model._default_manager.exists()


def test_a_key_needs_the_right_to_send(client: Client, acme: Organization) -> None:
    answer = post(client, [RECORD], make.bearer(make.key(acme, "read", "export")))
    assert answer.status_code == 403
    assert not IngestBatch.objects.exists()


def test_records_go_to_the_organization_of_the_key(client: Client, rival: Organization) -> None:
    post(client, [RECORD], make.bearer(make.key(rival, "ingest")))
    assert LLMRequest.objects.get().organization == rival


def test_only_post(client: Client, headers: dict[str, str]) -> None:
    answer = client.put(LITELLM, b"[]", content_type="application/json", headers=headers)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_malformed_json_is_answered_with_the_position(client: Client, headers: dict[str, str]) -> None:
    answer = post(client, b'[{"request_id": "a"},\n {"request_id" "b"}]', headers)
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["line"], problem["type"]) == (2, problems.BASE + "malformed-body")
    assert "line 2, column" in problem["detail"]
    assert not IngestBatch.objects.exists()


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,identity"])
def test_other_encodings_are_refused(client: Client, headers: dict[str, str], encoding: str) -> None:
    answer = post(client, b"[]", headers, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer["Accept-Encoding"]) == (415, "gzip, identity")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "not gzip"),
        (gzip.compress(b"[]")[:-4], "ended before its end"),
        (gzip.compress(b"[]") + b"x", "bytes after the end"),
        (gzip.compress(b"[]") + gzip.compress(b"[]"), "bytes after the end"),
        (zlib.compress(b"[]"), "not gzip"),
        (b"", "ended before its end"),
    ],
)
def test_broken_gzip(client: Client, headers: dict[str, str], body: bytes, message: str) -> None:
    answer = post(client, body, headers, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert message in answer.json()["detail"]


def test_nested_gzip_is_not_opened(client: Client, headers: dict[str, str]) -> None:
    body = gzip.compress(gzip.compress(b"[]"))
    assert post(client, body, headers, **{"Content-Encoding": "gzip"}).status_code == 400


def test_a_body_over_the_limit_is_refused_unread(client: Client, headers: dict[str, str], settings: Settings) -> None:
    settings.INGEST_MAX_WIRE_BYTES = 1_000
    assert post(client, b" " * 999 + b"[", headers).status_code == 400
    assert post(client, b" " * 1_001, headers).status_code == 413
    # What is declared larger is refused without a look at it.
    answer = client.generic("POST", NATIVE, b"[]", headers=headers, CONTENT_LENGTH="5000")
    assert answer.status_code == 413


@pytest.mark.parametrize("fill", [b" ", b"[", b"9"])
def test_a_gzip_bomb_is_refused(client: Client, headers: dict[str, str], fill: bytes) -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(fill * 2**20) for _ in range(200)) + packer.flush()
    assert len(packed) < 300_000
    answer = post(client, packed, headers, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413


def test_the_limit_after_decompression(client: Client, headers: dict[str, str], settings: Settings) -> None:
    settings.INGEST_MAX_BODY_BYTES = 1_000
    packed = gzip.compress(b" " * 1_001)
    assert post(client, packed, headers, **{"Content-Encoding": "gzip"}).status_code == 413


def test_a_batch_holds_a_limited_number_of_records(client: Client, headers: dict[str, str], settings: Settings) -> None:
    settings.INGEST_MAX_RECORDS = 2
    records = [RECORD | {"request_id": name} for name in "abc"]
    assert post(client, records, headers).status_code == 413
    assert not LLMRequest.objects.exists()
    assert post(client, records[:2], headers).json()["accepted"] == 2


def chunked(body: bytes, *, terminated: bool) -> dict[str, Any]:
    """What a WSGI server passes on for a chunked body: no length; gunicorn says that the input ends by itself."""
    return {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
        **({"wsgi.input_terminated": True} if terminated else {}),
    }


def test_chunked_bodies_are_read_to_their_end(client: Client, headers: dict[str, str], settings: Settings) -> None:
    body = gzip.compress(json.dumps([RECORD]).encode())
    with_gzip = headers | {"Content-Encoding": "gzip"}
    answer = client.generic("POST", NATIVE, b"", headers=with_gzip, **chunked(body, terminated=True))
    assert answer.json()["accepted"] == 1
    settings.INGEST_MAX_WIRE_BYTES = 10
    answer = client.generic("POST", NATIVE, b"", headers=headers, **chunked(b" " * 11, terminated=True))
    assert answer.status_code == 413
    # Elsewhere the end of the body is unknown: better a refusal than an empty success.
    answer = client.generic("POST", NATIVE, b"", headers=headers, **chunked(body, terminated=False))
    assert answer.status_code == 411


def test_a_database_that_cannot_store_is_answered_with_503(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise services.UnavailableError("read-only")

    monkeypatch.setattr(services, "ingest", refuse)
    answer = post(client, [RECORD], headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "read-only" not in answer.content.decode()


def test_a_database_that_is_gone_is_answered_with_503(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("ingestion.views.endpoints.identify_key", refuse)
    assert post(client, [RECORD], headers).status_code == 503


def test_an_error_of_ours_says_nothing_about_the_inside(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(services, "ingest", fail)
    answer = post(client, [RECORD], headers)
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize(
    "record",
    [
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "model": "\\u0000"}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "model": "\\ud800"}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "latency_ms": NaN}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "latency_ms": 1e400}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "input_tokens": 9223372036854775808}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "metadata": {"a": "\\u0000"}}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "unknown\\u0000": 1}',
        '{"request_id": "x", "started_at": "0001-01-01T00:00:00+14:00"}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "reported_cost_usd": 1e400}',
        '{"request_id": "x", "started_at": "2026-11-24T11:59:00Z", "reported_cost_usd": "sNaN"}',
    ],
)
def test_hostile_values_cost_their_own_record_only(client: Client, headers: dict[str, str], record: str) -> None:
    answer = post(client, f"[{record}, {json.dumps(RECORD)}]".encode(), headers)
    assert answer.status_code == 200
    reply = answer.json()
    assert (reply["accepted"], [one["index"] for one in reply["rejected"]]) == (1, [0])


@pytest.mark.parametrize("name", ["مرحبا", "🌍 emoji", "<script>alert(1)</script>", "'; DROP TABLE x; --", "{{x}}"])
def test_odd_names_come_back_as_they_were(client: Client, headers: dict[str, str], name: str) -> None:
    record = RECORD | {"user": name, "metadata": {name: name}, "error_type": name}
    assert post(client, [record], headers).json()["accepted"] == 1
    stored = LLMRequest.objects.select_related("user", "error_type").get()
    assert (str(stored.user), stored.metadata, str(stored.error_type)) == (name, {name: name}, name)
