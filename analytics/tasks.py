"""Doorbells: no content that matters, one call each, safe to ring twice, late or at once."""

from datetime import UTC, datetime

from celery import shared_task

from analytics import rollups
from teams.models import Organization


@shared_task
def sweep() -> int:
    """Bring the aggregates up to the facts; the number of hours rebuilt."""
    return rollups.drain().hours


@shared_task
def verify() -> int:
    """Compare every aggregate with the facts; the number of differences."""
    now = datetime.now(UTC)
    return sum(len(rollups.verify(organization, now).differences) for organization in Organization.objects.all())
