"""Doorbells of ingest: at most an id in, one call, a number out; safe to ring twice, late or at once."""

import uuid
from datetime import UTC, datetime

from celery import shared_task

from ingestion import observations
from ingestion.uploads import running, sweeping


@shared_task
def settle_observations() -> int:
    """Make facts of Langfuse's calls that are finished or given up; how many were looked at."""
    return observations.settle_due(datetime.now(UTC))


@shared_task
def import_upload(upload_id: str) -> int:
    """Import an uploaded file; the number of new requests."""
    return running.run(uuid.UUID(upload_id), lambda: datetime.now(UTC))


@shared_task
def sweep_uploads() -> int:
    """Delete files that are over, and wake a worker for those that wait; the number of wake-ups."""
    return sweeping.sweep(datetime.now(UTC))
