"""Uploaded files on a disk of their own, and a browser of an administrator."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from ingestion import tasks
from ingestion.models import Upload
from ingestion.uploads import acts, files
from ingestion.uploads.acts import Choice, Received
from teams import doorbell
from teams.models import Organization, User
from tests import make

Send = Callable[..., Upload]
Store = Callable[..., Upload]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """The folder of uploads of this test."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def browser_of_admin(client: Client, admin: User) -> Client:
    """Signed in."""
    client.force_login(admin)
    return client


@pytest.fixture
def store(acme: Organization, admin: User) -> Store:
    """Puts a file where an upload puts it, past HTTP; `start` decides to import it."""

    def store_(
        content: bytes, *, start: bool = False, organization: Organization | None = None, **choice: str
    ) -> Upload:
        name, file = files.create()
        with file:
            file.write(content)
        upload = acts.receive(
            actor=None if organization else admin,
            organization=organization or acme,
            file=Received("requests.csv", name, len(content)),
            choice=Choice(**choice),  # type: ignore[arg-type] # the words of the test
            now=make.NOW,
        )
        if start:
            assert acts.start(actor=None, upload=upload, now=make.NOW)
            upload.refresh_from_db()
        return upload

    return store_


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Uploads for which a worker was called."""
    heard: list[uuid.UUID] = []

    def ring(task: str, upload: str, **_: object) -> None:
        assert task == tasks.import_upload.name
        heard.append(uuid.UUID(upload))

    monkeypatch.setattr(doorbell, "ring", ring)
    return heard
