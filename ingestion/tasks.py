"""Doorbells: no content that matters, one call each, safe to ring twice, late or at once."""

from datetime import UTC, datetime

from celery import shared_task

from ingestion import observations


@shared_task
def settle_observations() -> int:
    """Make facts of Langfuse's calls that are finished or given up; how many were looked at."""
    return observations.settle_due(datetime.now(UTC))
