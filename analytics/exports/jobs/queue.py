"""Who works on which job when: claims with a lease, and wake-ups for workers.

A claim is taken by one conditional UPDATE, and asked for again with every part.
"""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from analytics.models import ExportJob

logger = logging.getLogger(__name__)
State = ExportJob.State

LEASE: Final = timedelta(seconds=30)
"""How long a worker may be silent before another one takes over."""
MOST_TRIES: Final = 5
"""Claims without a part, after which a job is given up."""
TASK: Final = "analytics.tasks.prepare_export"
_MESSAGE_SECONDS: Final = 60  # the sweep repeats what is lost


def ring(job_id: uuid.UUID) -> None:
    """Wake a worker. Without a broker nothing is lost: the sweep finds what is queued."""
    try:
        current_app.send_task(TASK, [str(job_id)], expires=_MESSAGE_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("nobody was told of the export %s: %s", job_id, type(error).__name__)


def ring_next(now: datetime) -> int:
    """Wake a worker for the job that waits longest, unless one is being worked on; the number of calls."""
    due = None if running(now).exists() else _due(now).order_by("queued_at").first()
    if due is None:
        return 0
    ring(due.pk)
    return 1


def running(now: datetime) -> QuerySet[ExportJob]:
    """What a living worker works on."""
    return ExportJob.objects.filter(state=State.RUNNING, lease_until__gt=now)


def _due(now: datetime) -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lte=now))


def claim(job_id: uuid.UUID, now: datetime) -> ExportJob | None:
    """Take a job for this worker alone; None when there is nothing to do now.

    One job at a time: two would share the workers that the rollups need, and gain nothing on one database.
    """
    if running(now).exists():
        return None
    mine = uuid.uuid4()
    fields: dict[str, Any] = {"state": State.RUNNING, "claim": mine, "lease_until": now + LEASE}
    if not _due(now).filter(pk=job_id).update(**fields, tries=F("tries") + 1):
        return None
    return ExportJob.objects.select_related("organization", "by", "key").filter(pk=job_id, claim=mine).first()


def keep(job: ExportJob, now: datetime, **fields: Any) -> bool:
    """Prolong the lease and write fields; False when the claim is lost or the job deleted."""
    return _held(job).update(lease_until=now + LEASE, **fields) > 0


def release(job: ExportJob, now: datetime, **fields: Any) -> None:
    """Put the job back to the end of the queue."""
    _held(job).update(state=State.QUEUED, queued_at=now, claim=None, lease_until=None, **fields)


def finish(job: ExportJob, state: ExportJob.State, **fields: Any) -> bool:
    """End the work; False when the claim is lost or the job deleted."""
    return _held(job).update(state=state, claim=None, lease_until=None, **fields) > 0


def _held(job: ExportJob) -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(pk=job.pk, claim=job.claim, state=State.RUNNING)
