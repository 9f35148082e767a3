"""What people do with an uploaded file. Each act asks for the right to manage the organization."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from ingestion.formats import FORMATS
from ingestion.models import Upload
from ingestion.uploads import files, queue
from ingestion.uploads.sweeping import ON_DISK
from teams.models import Organization, User
from teams.roles import Capability
from teams.services import audit, rules

AUTO: Final = "auto"
FORMAT_NAMES: Final = (AUTO, *FORMATS)
MOST_WAITING: Final = 10
"""Files of one organization on the disk at a time."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived: the name its owner gave it, ours, and its bytes."""

    name: str
    stored_as: str
    size: int


@dataclass(frozen=True, slots=True)
class Choice:
    """How a file is to be read. Raises ValidationError for a format that does not exist."""

    format: str = AUTO
    keep_unknown: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown formats."""
        if self.format not in FORMAT_NAMES:
            raise ValidationError(f"Choose one of the formats: {', '.join(FORMAT_NAMES)}.")


def receive(*, actor: User | None, organization: Organization, file: Received, choice: Choice, now: datetime) -> Upload:
    """Take a file that lies in the folder already. Raises ValidationError when it is empty or too many wait."""
    rules.require(actor, organization, Capability.MANAGE_PEOPLE)
    if not file.size:
        raise ValidationError("The file is empty.")
    if Upload.objects.filter(organization=organization, state__in=ON_DISK).count() >= MOST_WAITING:
        raise ValidationError(f"{MOST_WAITING} uploaded files wait here already. Import or discard one of them first.")
    return Upload.objects.create(
        organization=organization,
        by=actor,
        uploaded_at=now,
        name=files.label(file.name),
        stored_as=file.stored_as,
        size=file.size,
        format=choice.format,
        keep_unknown=choice.keep_unknown,
    )


def read_as(*, actor: User | None, upload: Upload, choice: Choice) -> bool:
    """Read the file in another way; False when it is not waiting for a decision any more."""
    rules.require(actor, upload.organization, Capability.MANAGE_PEOPLE)
    return _waiting(upload.pk, format=choice.format, keep_unknown=choice.keep_unknown)


def start(*, actor: User | None, upload: Upload, now: datetime) -> bool:
    """Have it imported; False when somebody decided before."""
    rules.require(actor, upload.organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        if not _waiting(upload.pk, state=Upload.State.QUEUED, queued_at=now):
            return False
        _record(actor, upload, "upload.import", format=upload.format, keep_unknown=upload.keep_unknown)
        transaction.on_commit(lambda: queue.ring(upload.pk))
    return True


def discard(*, actor: User | None, upload: Upload, now: datetime) -> bool:
    """Delete it without importing; False when somebody decided before."""
    rules.require(actor, upload.organization, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        if not _waiting(upload.pk, state=Upload.State.DISCARDED, finished_at=now):
            return False
        _record(actor, upload, "upload.discard")
    files.remove(upload.stored_as)
    return True


def _waiting(upload_id: uuid.UUID, **changes: object) -> bool:
    """Change an upload that still waits: of two people who decide at once, one does."""
    return Upload.objects.filter(pk=upload_id, state=Upload.State.WAITING).update(**changes) > 0


def _record(actor: User | None, upload: Upload, action: str, **details: object) -> None:
    audit.record(
        organization=upload.organization,
        actor=actor,
        action=action,
        target=upload,
        upload=str(upload.pk),
        bytes=upload.size,
        **details,
    )
