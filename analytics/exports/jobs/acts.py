"""What people do with jobs: ask for one, look at it, fetch it, delete it."""

import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from analytics.exports import names
from analytics.exports.jobs import folder, queue, rights
from analytics.exports.jobs.question import Asked
from analytics.models import ExportJob
from teams.access import Scope
from teams.models import ApiKey, Organization

State = ExportJob.State
_UNFINISHED: Final = (State.QUEUED, State.RUNNING)
MOST: Final = 3
"""Unfinished jobs of one organization at a time."""


class TooManyError(Exception):
    """The organization has as many unfinished jobs as it may have."""


def ask(scope: Scope, key: ApiKey | None, asked: Asked, written: str, now: datetime) -> ExportJob:
    """Have a file prepared for a person, who may use a key. Raises TooManyError."""
    if scope.user_id is None:
        raise ValueError("a job belongs to a person")
    with transaction.atomic():
        # The lock makes two who ask at once count each other.
        Organization.objects.select_for_update(no_key=True).get(pk=scope.organization_id)
        if ExportJob.objects.filter(organization_id=scope.organization_id, state__in=_UNFINISHED).count() >= MOST:
            raise TooManyError
        job = ExportJob.objects.create(
            organization_id=scope.organization_id,
            by_id=scope.user_id,
            with_key=key is not None,
            key=key,
            reach=scope.reach.value,
            teams=sorted(scope.team_ids),
            caller=scope.caller,
            zone=scope.zone,
            subject=asked.subject,
            question=dict(asked.question),
            format=written,
            name=names.file_name(asked.file_subject, scope, asked.days, written),
            created_at=now,
            expires_at=now + timedelta(days=settings.EXPORT_KEEP_DAYS),
            queued_at=now,
        )
        transaction.on_commit(lambda: queue.ring(job.pk))
    return job


def find(job_id: uuid.UUID, scope: Scope, now: datetime) -> ExportJob | None:
    """The job, if it is there and this caller may know of it now: nobody can tell which of the two it is not."""
    jobs = ExportJob.objects.select_related("organization").filter(expires_at__gt=now)
    job = jobs.filter(pk=job_id, organization_id=scope.organization_id).first()
    return job if job and rights.may_have(job, scope) else None


def own(scope: Scope, now: datetime) -> list[ExportJob]:
    """The jobs that this caller may know of, newest first."""
    jobs = ExportJob.objects.select_related("organization").filter(expires_at__gt=now, by=scope.user_id)
    return [job for job in jobs.filter(organization_id=scope.organization_id) if rights.may_have(job, scope)]


def file_of(job: ExportJob) -> Path | None:
    """Where the file is; None while, or when, there is none."""
    path = folder.path_of(job.pk, folder.FILE)
    return path if job.state == State.DONE and path.is_file() else None


def manifest_of(job: ExportJob) -> dict[str, Any] | None:
    """What is written beside the file; None while, or when, there is none."""
    path = folder.path_of(job.pk, folder.MANIFEST)
    found: dict[str, Any] | None = json.loads(path.read_bytes()) if job.state == State.DONE and path.is_file() else None
    return found


def delete(job: ExportJob) -> None:
    """Delete the job and its file; a worker at it notices with its next part."""
    ExportJob.objects.filter(pk=job.pk).delete()
    folder.remove(job.pk)
