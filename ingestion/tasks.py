"""Doorbells of ingest: at most an id in, one call, a number out; safe to ring twice, late or at once."""

import uuid
from datetime import UTC, datetime
from typing import Final

from celery import shared_task

from ingestion import observations
from ingestion.provisioning import merging
from ingestion.repricing import runs, work
from ingestion.uploads import running, sweeping

CHUNKS: Final = 800
"""Of one task of repricing: well within its time limit; what is left rings again."""

PARTS: Final = 200
"""Of one task of merging."""


def _now() -> datetime:
    return datetime.now(UTC)


@shared_task
def settle_observations() -> int:
    """Make facts of Langfuse's calls that are finished or given up; how many were looked at."""
    return observations.settle_due(_now())


@shared_task
def import_upload(upload_id: str) -> int:
    """Import an uploaded file; the number of new requests."""
    return running.run(uuid.UUID(upload_id), _now)


@shared_task
def sweep_uploads() -> int:
    """Delete files that are over, and wake a worker for those that wait; the number of wake-ups."""
    return sweeping.sweep(_now())


@shared_task
def reprice(run_id: int) -> int:
    """Go on with a run of repricing; the number of chunks done."""
    done = work.carry_out(run_id, clock=_now, chunks=CHUNKS)
    if done == CHUNKS:
        reprice.delay(run_id)
    return done


@shared_task
def continue_repricing() -> int:
    """Go on with every run that nobody works on: a message or a worker was lost; the number of chunks done."""
    return sum(work.carry_out(run_id, clock=_now, chunks=CHUNKS) for run_id in runs.waiting(_now()))


@shared_task
def move_merged(merge_id: int) -> int:
    """Move requests of a name that became another one; the number of parts done."""
    done = merging.carry_on(merge_id, clock=_now, steps=PARTS)
    if done == PARTS:
        move_merged.delay(merge_id)
    return done


@shared_task
def continue_merges() -> int:
    """Go on with every merge: a message or a worker was lost; the number of parts done."""
    return sum(merging.carry_on(merge_id, clock=_now, steps=PARTS) for merge_id in merging.unfinished())
