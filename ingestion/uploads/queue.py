"""Who imports which file when: claims with a lease, and wake-ups for workers.

A claim is taken by one conditional UPDATE. Its holder asks for it again in the transaction of every batch, so that a
worker that was thought dead cannot store another record after its successor began.
"""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from kombu.exceptions import OperationalError

from ingestion.models import Upload
from ingestion.uploads import files

logger = logging.getLogger(__name__)
State = Upload.State

LEASE: Final = timedelta(seconds=30)
"""How long a worker may be silent before another one takes over."""
MOST_TRIES: Final = 5
"""Claims without a stored batch, after which a file is given up."""
TASK: Final = "ingestion.tasks.import_upload"
_MESSAGE_SECONDS: Final = 60  # the sweep repeats what is lost


def ring(upload_id: uuid.UUID) -> None:
    """Wake a worker. Without a broker nothing is lost: the sweep finds what is queued."""
    try:
        current_app.send_task(TASK, [str(upload_id)], expires=_MESSAGE_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("nobody was told of the upload %s: %s", upload_id, type(error).__name__)


def ring_next(now: datetime) -> int:
    """Wake a worker for the file that waits longest, unless one is being imported; the number of calls."""
    due = None if running(now).exists() else _due(now).order_by("queued_at").first()
    if due is None:
        return 0
    ring(due.pk)
    return 1


def running(now: datetime) -> QuerySet[Upload]:
    """What is being imported by a living worker."""
    return Upload.objects.filter(state=State.IMPORTING, lease_until__gt=now)


def _due(now: datetime) -> QuerySet[Upload]:
    return Upload.objects.filter(Q(state=State.QUEUED) | Q(state=State.IMPORTING, lease_until__lte=now))


def claim(upload_id: uuid.UUID, now: datetime) -> Upload | None:
    """Take a file for this worker alone; None when there is nothing to do now.

    One file at a time: two would share the workers that the rollups need, and gain nothing on one database.
    """
    if running(now).exists():
        return None
    mine = uuid.uuid4()
    taken = _due(now).filter(pk=upload_id)
    fields: dict[str, Any] = {"state": State.IMPORTING, "claim": mine, "lease_until": now + LEASE}
    if not taken.update(**fields, tries=F("tries") + 1, started_at=Coalesce(F("started_at"), now)):
        return None
    return Upload.objects.select_related("organization").filter(pk=upload_id, claim=mine).first()


def keep(upload: Upload, now: datetime, **fields: Any) -> bool:
    """Prolong the lease and write fields; False when the claim is lost."""
    return _held(upload).update(lease_until=now + LEASE, **fields) > 0


def release(upload: Upload, now: datetime, **fields: Any) -> None:
    """Put the file back to the end of the queue."""
    _held(upload).update(state=State.QUEUED, queued_at=now, claim=None, lease_until=None, **fields)


def finish(upload: Upload, state: Upload.State, now: datetime, **fields: Any) -> None:
    """End the import and delete the file, unless the claim is lost: then it is another worker's."""
    if _held(upload).update(state=state, finished_at=now, claim=None, lease_until=None, **fields):
        files.remove(upload.stored_as)


def _held(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, claim=upload.claim, state=State.IMPORTING)
