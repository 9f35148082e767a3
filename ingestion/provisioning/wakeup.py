"""Waking a worker for a merge. The row in the database says what is to do; a lost message costs minutes, no more."""

import logging
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
TASK: Final = "ingestion.tasks.move_merged"


def ring(merge_id: int) -> None:
    """Ask for a worker as soon as the merge is committed."""
    transaction.on_commit(lambda: _send(merge_id))


def _send(merge_id: int) -> None:
    try:
        current_app.send_task(TASK, args=[merge_id], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("nobody could be woken for merge %d, the clock will: %s", merge_id, error)
