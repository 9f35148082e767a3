"""Waking a worker by the name of a task. What is to do stands in the database: a lost call costs minutes, no more."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: str, subject: int | str, *, expires: float | None = None) -> None:
    """Call a worker to do the task about a subject. Without a broker nothing happens: the clock finds what waits.

    expires: seconds after which nobody needs to come any more.
    """
    try:
        current_app.send_task(task, [subject], expires=expires, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("no worker could be called for %s: %s", task, type(error).__name__)


def ring_after_commit(task: str, subject: int | str) -> None:
    """The same as soon as what the worker will read is committed."""
    transaction.on_commit(lambda: ring(task, subject))
