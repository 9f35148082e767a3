"""Work that waits in a table for one worker at a time: claims with a lease, and wake-ups.

A claim is taken by one conditional UPDATE. Its holder asks for it again with every part of its work, so that a worker
that was thought dead writes nothing after its successor began.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from django.db.models import F, Manager, Model, Q, QuerySet

from teams import doorbell

_Job = TypeVar("_Job", bound=Model)

LEASE: Final = timedelta(seconds=30)
"""How long a worker may be silent before another one takes over."""
MOST_TRIES: Final = 5
"""Claims without a part that was kept, after which a job is given up."""
QUEUED: Final = "queued"
_MESSAGE_SECONDS: Final = 60  # the sweep repeats what is lost


class Queue(Generic[_Job]):
    """Jobs of a model with `state`, `queued_at`, `claim`, `lease_until` and `tries`.

    working: the state of a job that somebody works on. task: the Celery task that takes the id of a job. One job at a
    time: two would share the workers that the rollups need, and gain nothing on one database.
    """

    def __init__(self, rows: Manager[_Job], *, working: str, task: str) -> None:
        self._rows: Any = rows  # that it has these fields is said above
        self._working, self._task = working, task

    def ring(self, job_id: uuid.UUID) -> None:
        """Wake a worker. Without a broker nothing is lost: the sweep finds what is queued."""
        doorbell.ring(self._task, str(job_id), expires=_MESSAGE_SECONDS)

    def ring_next(self, now: datetime) -> int:
        """Wake a worker for the job that waits longest, unless one is being worked on; the number of calls."""
        due = None if self.running(now).exists() else self._due(now).order_by("queued_at").first()
        if due is None:
            return 0
        self.ring(due.pk)
        return 1

    def running(self, now: datetime) -> QuerySet[_Job]:
        """What a living worker works on."""
        found: QuerySet[_Job] = self._rows.filter(state=self._working, lease_until__gt=now)
        return found

    def claim(self, job_id: uuid.UUID, now: datetime, **fields: Any) -> _Job | None:
        """Take a job for this worker alone, and write fields; None when there is nothing to do now."""
        if self.running(now).exists():
            return None
        mine = uuid.uuid4()
        taken: dict[str, Any] = {"state": self._working, "claim": mine, "lease_until": now + LEASE, **fields}
        if not self._due(now).filter(pk=job_id).update(**taken, tries=F("tries") + 1):
            return None
        job: _Job | None = self._rows.select_related("organization").filter(pk=job_id, claim=mine).first()
        return job

    def keep(self, job: _Job, now: datetime, **fields: Any) -> bool:
        """Prolong the lease and write fields; False when the claim is lost or the job deleted."""
        return self._held(job).update(lease_until=now + LEASE, **fields) > 0

    def release(self, job: _Job, now: datetime, **fields: Any) -> None:
        """Put the job back to the end of the queue."""
        self._held(job).update(state=QUEUED, queued_at=now, claim=None, lease_until=None, **fields)

    def finish(self, job: _Job, state: str, **fields: Any) -> bool:
        """End the work; False when the claim is lost or the job deleted."""
        return self._held(job).update(state=state, claim=None, lease_until=None, **fields) > 0

    def _due(self, now: datetime) -> QuerySet[_Job]:
        stale = Q(state=self._working, lease_until__lte=now)
        found: QuerySet[_Job] = self._rows.filter(Q(state=QUEUED) | stale)
        return found

    def _held(self, job: _Job) -> QuerySet[_Job]:
        held = {"pk": job.pk, "claim": vars(job)["claim"], "state": self._working}
        found: QuerySet[_Job] = self._rows.filter(**held)
        return found
