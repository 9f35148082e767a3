"""Waking a worker for a run. The row in the database says what is to do; a lost message costs minutes, no more."""

import logging
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
TASK: Final = "ingestion.tasks.reprice"


def ring(run_id: int) -> None:
    """Ask for a worker as soon as the run is committed."""
    transaction.on_commit(lambda: _send(run_id))


def _send(run_id: int) -> None:
    try:
        current_app.send_task(TASK, args=[run_id], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("nobody could be woken for repricing %d, the clock will: %s", run_id, error)
