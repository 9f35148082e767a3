"""Rows into tables on both databases."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, transaction

from ingestion.models import ChangedHour, IngestBatch, VirtualModel
from ingestion.writer.bulk import bulk_insert, insert_missing
from teams.models import Organization
from tests import make

pytestmark = pytest.mark.django_db


def test_rows_come_back_as_they_were(acme: Organization) -> None:
    half_past = datetime(2026, 11, 24, 17, 30, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    columns = (
        "organization_id",
        "received_at",
        "source",
        "accepted",
        "duplicate",
        "conflict",
        "rejected",
        "rejected_by_code",
        "examples",
        "capped",
    )
    rows = [
        (acme.pk, half_past, "tab\t\\N 'quoted' \"é\"", 1, 0, 0, 0, {"time_window": 3}, [], 0),
        (acme.pk, make.NOW, "text", 2, 0, 0, 0, '{"a":1}', "[]", 0),
    ]  # fmt: skip
    assert bulk_insert(IngestBatch, columns, iter(rows)) == 2
    assert list(IngestBatch.objects.order_by("id").values_list("received_at", "source", "rejected_by_code")) == [
        (datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC), "tab\t\\N 'quoted' \"é\"", {"time_window": 3}),
        (make.NOW, "text", {"a": 1}),
    ]
    # Compared as instants, not as the text in which SQLite keeps them.
    assert IngestBatch.objects.filter(received_at__gt=make.NOW).count() == 1
    assert IngestBatch.objects.filter(received_at__date=date(2026, 11, 24)).count() == 2


def test_no_rows_are_no_error() -> None:
    assert bulk_insert(ChangedHour, ("organization_id", "hour_start", "appended_at"), []) == 0


def test_errors_are_those_of_django(acme: Organization) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_insert(VirtualModel, ("organization_id", "name", "first_seen"), [(acme.pk, None, make.NOW)])
    assert not VirtualModel.objects.exists()


def test_known_rows_are_skipped(acme: Organization) -> None:
    columns = ("organization_id", "name", "first_seen")
    insert_missing(VirtualModel, columns, [(acme.pk, "a", make.NOW)])
    insert_missing(VirtualModel, columns, [(acme.pk, "a", make.NOW), (acme.pk, "b", make.NOW)])
    assert sorted(VirtualModel.objects.values_list("name", flat=True)) == ["a", "b"]
