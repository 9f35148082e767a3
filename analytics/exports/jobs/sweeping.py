"""Tidying up, every few seconds: files whose time is over, folders nobody knows, jobs nobody works on."""

from datetime import datetime

from analytics.exports.jobs import acts, folder, queue
from analytics.models import ExportJob


def sweep(now: datetime) -> int:
    """Delete what is over, and wake a worker when a job waits for one; the number of wake-ups."""
    for job in ExportJob.objects.filter(expires_at__lte=now):
        acts.delete(job)
    folder.remove_abandoned(set(ExportJob.objects.values_list("pk", flat=True)), now)
    return queue.ring_next(now)
