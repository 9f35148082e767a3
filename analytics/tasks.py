"""Doorbells: no content that matters, one call each, safe to ring twice, late or at once."""

import uuid
from datetime import UTC, datetime
from typing import Final

from celery import shared_task

from analytics import retention, rollups
from analytics.budgets import alerts, anomalies
from analytics.budgets.webhooks import calls
from analytics.chargeback import closing, outbox
from analytics.chargeback.digests import making
from analytics.exports.jobs import running, sweeping
from analytics.rollups.pace import Pace
from metricsportal.lib import border
from teams.models import Organization

SWEEP_SECONDS: Final = 50
"""Of one pass of the rollups: over before the next one begins."""
CHUNKS: Final = 400
"""Of one task of removal: well within its time limit; what is left rings again."""


def _now() -> datetime:
    return datetime.now(UTC)


@shared_task
def sweep() -> int:
    """Bring the aggregates up to the facts, as far as one pass gets; the number of hours rebuilt."""
    return rollups.drain(go_on=Pace(SWEEP_SECONDS)).hours


@shared_task
def prepare_export(job_id: str) -> int:
    """Go on with an export in the background; the number of rows in its file, 0 while there is none."""
    return running.run(uuid.UUID(job_id), _now)


@shared_task
def sweep_exports() -> int:
    """Delete exports that are over, and wake a worker for those that wait; the number of wake-ups."""
    return sweeping.sweep(_now())


@shared_task
def verify() -> int:
    """Compare every aggregate with the facts; the number of differences."""
    now = datetime.now(UTC)
    differences = 0
    for organization in Organization.objects.all():
        with border.within(organization.pk):
            differences += len(rollups.verify(organization, now).differences)
    return differences


@shared_task
def close_due_periods() -> int:
    """Freeze the statements of every month whose grace is over; the number of months closed."""
    return closing.close_due(datetime.now(UTC))


@shared_task
def send_due_mail() -> int:
    """Send the statements, summaries and notices that wait in the outbox; the number that a mail server accepted."""
    return outbox.send_due(datetime.now(UTC))


@shared_task
def make_summaries() -> int:
    """Freeze the daily and weekly summaries that are due; the number made."""
    return making.make_due(datetime.now(UTC))


@shared_task
def look_at_budgets() -> int:
    """Tell the thresholds of budgets whose hours changed; the number of notices."""
    return alerts.look_due(datetime.now(UTC))


@shared_task
def call_webhooks() -> int:
    """Send the notices that wait for webhooks; the number that were taken."""
    return calls.send_due(datetime.now(UTC))


@shared_task
def find_anomalies() -> int:
    """Tell of yesterdays that stand out; the number of notices."""
    return anomalies.find_due(datetime.now(UTC))


@shared_task
def purge() -> int:
    """Remove requests and hours that are older than they are kept; the number of rows removed."""
    passed = retention.purge_all(datetime.now(UTC), chunks=CHUNKS)
    if not passed.complete:
        purge.delay()
    return sum(passed.removed.values())
