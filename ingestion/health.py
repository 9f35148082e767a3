"""How ingest is going: who sends, when last, with what outcome, and why records were refused."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Q, QuerySet, Sum

from ingestion import services
from ingestion.models import IngestBatch
from ingestion.records import RequestRecord
from ingestion.services import Outcome
from metricsportal.lib import formats
from teams.models import ApiKey, Organization

LOOK_BACK: Final = timedelta(days=30)
COUNTED: Final = timedelta(days=1)
_RECENT: Final = timedelta(hours=1)
_OUTCOMES: Final = ("accepted", "duplicate", "conflict", "rejected")
NEWEST: Final = 20
"""Refused records that are shown."""
TEST_MODEL: Final = "portal-test"


@dataclass(frozen=True, slots=True)
class Sender:
    """One key with one format, or files and commands: records per minute of the last hour, outcomes of the last day."""

    source: str
    key: str
    last_seen: datetime
    per_minute: str
    accepted: str
    duplicate: str
    conflict: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused record."""

    at: datetime
    source: str
    key: str
    place: int
    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """Senders of the last 30 days, the latest first; the newest refused records; what to do about outcomes."""

    senders: tuple[Sender, ...]
    refused: tuple[Refused, ...]
    conflicts: int
    capped: int


def health(organization: Organization, now: datetime) -> Health:
    """The state of an organization's ingest."""
    batches = IngestBatch.objects.filter(organization=organization, received_at__gt=now - LOOK_BACK)
    today = Q(received_at__gt=now - COUNTED)
    sums: dict[str, Any] = {f"today_{name}": Sum(name, filter=today, default=0) for name in (*_OUTCOMES, "capped")}
    recent: dict[str, Any] = {
        f"recent_{name}": Sum(name, filter=Q(received_at__gt=now - _RECENT), default=0) for name in _OUTCOMES
    }
    grouped = batches.order_by().values("source", "key_id").annotate(last_seen=Max("received_at"), **sums, **recent)
    rows: list[dict[str, Any]] = sorted(map(dict, grouped), key=lambda row: row["last_seen"], reverse=True)
    names = _names({row["key_id"] for row in rows})
    return Health(
        tuple(_sender(row, names) for row in rows),
        tuple(_refused(batches, names)),
        sum(row["today_conflict"] for row in rows),
        sum(row["today_capped"] for row in rows),
    )


def _names(ids: set[int | None]) -> dict[int | None, str]:
    return {key.pk: str(key) for key in ApiKey.objects.filter(pk__in=[pk for pk in ids if pk])}


def _sender(row: dict[str, Any], names: dict[int | None, str]) -> Sender:
    recent = sum(row[f"recent_{name}"] for name in _OUTCOMES)
    counts = {name: formats.exact(row[f"today_{name}"]) for name in _OUTCOMES}
    return Sender(
        source=row["source"],
        key=names.get(row["key_id"], "files and commands"),
        last_seen=row["last_seen"],
        per_minute=formats.compact(round(recent / 60, 1)),
        **counts,
    )


def _refused(batches: QuerySet[IngestBatch], names: dict[int | None, str]) -> list[Refused]:
    found: list[Refused] = []
    for batch in batches.filter(rejected__gt=0).order_by("-received_at", "-id")[:NEWEST]:
        key = names.get(batch.key_id, "files and commands")
        found += [
            Refused(batch.received_at, batch.source, key, one["index"], one["code"], one["field"], one["message"])
            for one in batch.examples
        ]
    return found[:NEWEST]


def send_test(organization: Organization, now: datetime) -> Outcome:
    """Send one record of the model `portal-test` through the pipeline, as a gateway would."""
    record = RequestRecord(
        request_id=f"portal-test-{uuid.uuid4()}", started_at=now, model=TEST_MODEL, latency_ms=1.0, status_code=200
    )
    return services.ingest_records(organization=organization, records=[record], source="test", now=now, past_days=None)
