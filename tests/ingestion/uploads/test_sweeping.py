"""Files that are over, and imports that nobody works on."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import F
from pytest_django import Settings

from ingestion.models import Upload
from ingestion.uploads import queue, sweeping
from tests import make
from tests.ingestion.uploads import content
from tests.ingestion.uploads.conftest import Store

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_sweep_calls_for_what_waits_longest(store: Store, rings: list[uuid.UUID]) -> None:
    first, second = store(content.csv(1), start=True), store(content.csv(1), start=True)
    Upload.objects.filter(pk=first.pk).update(queued_at=F("queued_at") - timedelta(seconds=5))
    rings.clear()
    now = make.NOW
    assert sweeping.sweep(now) == 1
    queue.claim(first.pk, now)
    assert sweeping.sweep(now + timedelta(seconds=29)) == 0
    assert sweeping.sweep(now + timedelta(seconds=31)) == 1
    queue.claim(second.pk, now + timedelta(seconds=31))
    assert sweeping.sweep(now + timedelta(seconds=32)) == 0
    assert rings == [first.pk, first.pk]


def state(upload: Upload) -> str:
    return Upload.objects.get(pk=upload.pk).state


def test_files_nobody_decided_about_expire(store: Store, folder: Path, settings: Settings) -> None:
    settings.UPLOAD_KEEP_DAYS = 7
    upload, queued = store(content.csv(1)), store(content.csv(1), start=True)
    sweeping.sweep(make.NOW + timedelta(days=7))
    assert state(upload) == "waiting"
    sweeping.sweep(make.NOW + timedelta(days=7, seconds=1))
    assert (state(upload), state(queued)) == ("expired", "queued")
    assert [path.name for path in folder.iterdir()] == [queued.stored_as]


def test_files_nobody_knows_are_deleted_when_nobody_writes_them(store: Store, folder: Path) -> None:
    upload = store(content.csv(1))
    abandoned = folder / ("0" * 32)
    for path in (abandoned, folder / "README"):
        path.write_text("x")
    sweeping.sweep(datetime.now(UTC))
    assert abandoned.exists()
    Upload.objects.update(uploaded_at=datetime.now(UTC))
    sweeping.sweep(datetime.now(UTC) + timedelta(hours=2))
    assert {path.name for path in folder.iterdir()} == {"README", upload.stored_as}
