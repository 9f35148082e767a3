"""Tidying up, every few seconds: files nobody decided about, files nobody knows, imports nobody works on."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from ingestion.models import Upload
from ingestion.uploads import files, queue

State = Upload.State
ON_DISK: Final = (State.WAITING, State.QUEUED, State.IMPORTING)
"""States whose file is needed."""


def sweep(now: datetime) -> int:
    """Delete what is over, and wake a worker when a file waits for one; the number of wake-ups."""
    _expire(now)
    files.remove_abandoned(set(Upload.objects.filter(state__in=ON_DISK).values_list("stored_as", flat=True)), now)
    return queue.ring_next(now)


def _expire(now: datetime) -> None:
    old = Upload.objects.filter(state=State.WAITING, uploaded_at__lt=now - timedelta(days=settings.UPLOAD_KEEP_DAYS))
    for upload in old:
        if Upload.objects.filter(pk=upload.pk, state=State.WAITING).update(state=State.EXPIRED, finished_at=now):
            files.remove(upload.stored_as)
