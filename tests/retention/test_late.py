"""A record of a purged time is too old, whoever brings it: counted, told, and never a part of a purged hour."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from analytics import rollups
from ingestion import observations
from ingestion.formats.langfuse import read
from ingestion.models import ChangedHour, IngestBatch, LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from ingestion.validation import Window
from teams.models import Organization
from tests import make
from tests.retention.scene import FIRST, NOW, aggregates, days_ago, floor, old, purge, records, total


@pytest.fixture
def wide(organization: Organization, settings: Settings) -> Iterator[Organization]:
    """Purged, with an ingest window that was widened afterwards far into the purged time."""
    purge(organization)
    settings.INGEST_PAST_DAYS = 300
    with time_machine.travel(NOW, tick=False):
        yield organization


def _native(record: RequestRecord) -> dict[str, object]:
    return {"request_id": record.request_id, "started_at": record.started_at.isoformat(), "model": "gpt-5"}


def _litellm(record: RequestRecord) -> dict[str, object]:
    start = record.started_at.timestamp()
    return {"id": record.request_id, "startTime": start, "endTime": start + 1, "model": "gpt-5", "status": "success"}


def _span(record: RequestRecord) -> dict[str, object]:
    start = int(record.started_at.timestamp()) * 10**9
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": f"{abs(hash(record.request_id)) % 16**16:016x}",
        "name": "chat gpt-5",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


@pytest.mark.parametrize(
    ("url", "body"),
    [("/api/v1/requests", _native), ("/api/v1/ingest/litellm", _litellm), ("/v1/traces", _span)],
)
def test_over_http_it_is_rejected_and_counted(client: Client, wide: Organization, url: str, body: object) -> None:
    assert callable(body)
    key, before, count = make.key(wide, "ingest"), aggregates(), LLMRequest.objects.count()
    IngestBatch.objects.all().delete()
    for started, accepted in ((FIRST, 0), (floor(wide), 1)):
        sent = json.dumps(body(make.record(started_at=started)))
        response = client.post(url, sent, content_type="application/json", headers=make.bearer(key))
        assert response.status_code == 200, response.content
        batch = IngestBatch.objects.latest("pk")
        assert (batch.accepted, batch.rejected) == (accepted, 1 - accepted)
        assert batch.rejected_by_code == ({} if accepted else {"time_window": 1})
    assert LLMRequest.objects.count() == count + 1
    assert [one.hour_start for one in ChangedHour.objects.all()] == [LLMRequest.objects.latest("pk").hour_start]
    assert aggregates() == before


def test_the_answer_says_since_when(client: Client, wide: Organization) -> None:
    record = make.record(started_at=floor(wide) - timedelta(microseconds=1))
    sent = [_native(record), _native(make.record(started_at=NOW))]
    issued = make.key(wide, "ingest")
    response = client.post(
        "/api/v1/requests", json.dumps(sent), content_type="application/json", headers=make.bearer(issued)
    )
    answer = response.json()
    assert (answer["accepted"], len(answer["rejected"])) == (1, 1)
    (refused,) = answer["rejected"]
    assert (refused["index"], refused["code"], refused["field"]) == (0, "time_window", "started_at")
    assert f"{floor(wide):%Y-%m-%dT%H:%MZ}" in refused["message"]


def test_langfuses_batches_too(wide: Organization) -> None:
    key, body = make.key(wide, "ingest"), {"id": "late-call", "startTime": FIRST.isoformat(), "model": "gpt-5"}
    body |= {"endTime": (FIRST + timedelta(seconds=1)).isoformat()}
    event = {"id": "e1", "type": "generation-create", "timestamp": NOW.isoformat(), "body": body}
    window = Window.around(NOW, past_days=300, future_minutes=5)
    found = list(read(json.dumps({"batch": [event]}).encode(), window))
    observations.receive(wide, found, NOW, key_id=key.key.pk)
    observations.settle_due(NOW + timedelta(minutes=10), wide)
    assert not LLMRequest.objects.filter(request_id="late-call").exists()
    assert IngestBatch.objects.filter(source="langfuse", rejected_by_code={"time_window": 1}).count() == 1


def _import(organization: Organization, folder: Path, *records: RequestRecord) -> dict[str, object]:
    path, answer = folder / "late.ndjson", folder / "answer.json"
    lines = [_native(record) for record in records]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with answer.open("w") as out:
        call_command("import_requests", str(path), "--organization", organization.slug, "--json", stdout=out)
    told: dict[str, object] = msgspec.json.decode(answer.read_bytes())
    return told


def test_a_file_has_no_lower_limit_but_this_one(wide: Organization, tmp_path: Path) -> None:
    before = aggregates()
    records = [make.record(started_at=at) for at in (FIRST, FIRST - timedelta(days=900), floor(wide), NOW)]
    told = _import(wide, tmp_path, *records)
    assert (told["accepted"], told["rejected"], told["rejected_by_code"]) == (2, 2, {"time_window": 2})
    assert aggregates() == before
    rollups.drain(wide.pk)
    assert total(wide) == 62
    assert rollups.verify(wide, NOW).differences == ()


def test_sending_purged_requests_again_never_counts_them_again(organization: Organization, small_chunks: int) -> None:
    """Halfway, some are still there and known as duplicates; afterwards all are too old."""
    assert small_chunks
    gone = old(organization, days_ago(organization, 90))
    for chunks in (1, None):
        purge(organization, chunks=chunks)
        again = records(60)
        outcome = ingest_records(organization=organization, records=again, source="again", now=NOW, past_days=None)
        assert outcome.accepted == outcome.conflict == 0
        assert {one.code.value for one in outcome.rejected} == {"time_window"}
        assert outcome.duplicate + len(outcome.rejected) == 60
        rollups.drain(organization.pk)
        assert total(organization) == 60
    assert len(outcome.rejected) == gone
