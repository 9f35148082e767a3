"""Doorbells: no content that matters, one call each, safe to ring twice, late or at once."""

from datetime import UTC, datetime
from typing import Final

from celery import shared_task

from ingestion.repricing import runs, work

CHUNKS: Final = 200
"""Of one task: well within its time limit; what is left rings again."""


def _now() -> datetime:
    return datetime.now(UTC)


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
