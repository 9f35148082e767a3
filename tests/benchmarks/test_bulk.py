"""The fast way to store many requests stores the rows of the slow one."""

import argparse
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from benchmarks import bulk, tenants
from benchmarks.tenants import Tenant
from ingestion import services
from ingestion.models import LLMRequest
from ingestion.traffic import generate
from ingestion.traffic.company import settle
from teams.models import Organization

LEFT_OUT = {"id", "organization", "received_at", "price_book_version"}
NAMES = {"model", "virtual_model", "user", "virtual_account", "team", "error_type"}
FIELDS = [
    f"{field.name}__name" if field.name in NAMES else field.name
    for field in LLMRequest._meta.fields
    if field.name not in LEFT_OUT
]


def indexes() -> set[str]:
    """Definitions of the indexes of the facts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [LLMRequest._meta.db_table])
        return {definition for (definition,) in cursor.fetchall()}


def rows(organization: Organization) -> list[tuple[Any, ...]]:
    """Every fact, with names instead of ids."""
    found = LLMRequest.objects.filter(organization=organization).order_by("request_id").values_list(*FIELDS)
    return [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in found]


def tenant_of(organization: Organization, requests: int) -> Tenant:
    """The large company, in so many requests of two days."""
    calendar = tenants.calendar_of(organization, requests, argparse.Namespace(days=2, seed=5, company="large"))
    settle(organization, calendar)
    return Tenant(organization, calendar, requests, {}, {})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_owner")
@pytest.mark.skipif(connection.vendor != "postgresql", reason="COPY is PostgreSQL's")
def test_copied_rows_are_those_of_ingest(
    acme: Organization, rival: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_FIRST", 20)

    def here(parts: Sequence[list[str]]) -> None:
        assert len(indexes()) == 1  # the primary key
        for part in parts:
            bulk.store(part)

    monkeypatch.setattr(bulk, "_in_processes", here)
    before, tenant = indexes(), tenant_of(acme, 301)
    bulk.load(tenant)
    assert indexes() == before
    rival.zone = acme.zone
    rival.save()
    other = tenant_of(rival, 301)
    for number, share in enumerate((150, 151)):
        words = bulk.words_of(other, share, tenant.calendar.seed + number, tenant.calendar.period.end)
        calendar = bulk.calendar_of(words)
        services.ingest_records(
            organization=rival, records=generate(calendar), source="test", now=calendar.period.end, past_days=None
        )
    assert len(rows(acme)) == 301
    assert rows(acme) == rows(rival)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("as_owner")
@pytest.mark.skipif(connection.vendor != "postgresql", reason="COPY is PostgreSQL's")
def test_missing_requests_are_noticed(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_FIRST", 20)
    monkeypatch.setattr(bulk, "_in_processes", lambda parts: None)
    with pytest.raises(RuntimeError, match="40 requests were stored instead of 301"):
        bulk.load(tenant_of(acme, 301))
