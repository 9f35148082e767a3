"""Health, readiness, metrics."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from analytics.models import ChangedDay
from ingestion.models import ChangedHour, IngestBatch
from tests import make

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def sample(client: Client, name: str) -> int:
    """One value of /metrics."""
    lines = client.get("/metrics").content.decode().splitlines()
    return int(next(line for line in lines if line.startswith(name)).rpartition(" ")[2])


def test_alive_asks_no_database(client: Client) -> None:
    # Without the django_db mark any query would raise.
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_when_database_rollups_and_broker_are(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "rollups": "ok", "broker": "ok"},
        "rollup_lag_seconds": 0,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("log", ["hour", "day"])
def test_late_rollups_are_degraded_not_dead(client: Client, log: str) -> None:
    now = timezone.now()
    organization = make.organization()
    row: Any = (
        ChangedHour(organization=organization, hour_start=now)
        if log == "hour"
        else ChangedDay(organization=organization, day_start=now)
    )
    row.save()
    assert client.get("/readyz").json()["status"] == "ok"
    type(row).objects.update(appended_at=now - timedelta(hours=2))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["rollups"] == "late"
    assert 7200 <= response.json()["rollup_lag_seconds"] < 7260


@pytest.mark.django_db
def test_a_lost_broker_is_degraded_not_dead(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = NOBODY_LISTENS
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["broker"] == "unavailable"
    assert sample(client, "portal_broker_up") == 0


@pytest.mark.django_db
def test_without_database_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr("django.db.models.query.QuerySet.aggregate", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")


@pytest.mark.django_db
def test_outcomes_are_summed_over_all_batches(client: Client) -> None:
    for organization in (make.organization(), make.organization()):
        for _ in range(2):
            IngestBatch.objects.create(
                organization=organization,
                received_at=timezone.now(),
                source="native",
                accepted=5,
                duplicate=3,
                rejected=1,
            )
    text = client.get("/metrics").content.decode()
    assert "# TYPE portal_ingest_records_total counter" in text
    assert [line for line in text.splitlines() if line.startswith("portal_ingest")] == [
        'portal_ingest_records_total{outcome="accepted"} 20',
        'portal_ingest_records_total{outcome="duplicate"} 12',
        'portal_ingest_records_total{outcome="conflict"} 0',
        'portal_ingest_records_total{outcome="rejected"} 4',
    ]


@pytest.mark.django_db
def test_pending_changes_are_counted(client: Client) -> None:
    organization = make.organization()
    for _ in range(3):
        ChangedHour.objects.create(organization=organization, hour_start=timezone.now())
    assert sample(client, 'portal_rollup_pending{grain="hour"}') == 3
    assert sample(client, 'portal_rollup_pending{grain="day"}') == 0


@pytest.mark.django_db
def test_metrics_name_no_tenant(client: Client) -> None:
    make.organization("very-secret-customer")
    assert b"secret" not in client.get("/metrics").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("right", 401), ("", 401)]
)
def test_a_token_guards_the_metrics(client: Client, settings: Settings, header: str, status: int) -> None:
    settings.METRICS_TOKEN = "right"
    assert client.get("/metrics", headers={"Authorization": header}).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_allowed(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200
