"""The tables of Langfuse's batches stay small: what is old is forgotten, and what is too much."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, QuerySet

from ingestion.models import LangfuseObservation, LangfuseTrace
from ingestion.observations.waiting import GIVEN_UP

TRACE_AGE: Final = timedelta(hours=24)
"""How long calls of a trace may come after the last word about the trace itself."""


def purge(now: datetime) -> None:
    """Forget facts of which nothing was said for a while, old traces, and the oldest beyond the limits."""
    facts = LangfuseObservation.objects.filter(due_at=None)
    facts.filter(touched_at__lt=now - GIVEN_UP).delete()
    LangfuseTrace.objects.filter(touched_at__lt=now - TRACE_AGE).delete()
    for rows in (facts, LangfuseTrace.objects.all()):
        _keep_newest(rows)


def _keep_newest(rows: QuerySet[Any]) -> None:
    most = settings.LANGFUSE_MAX_PENDING
    for (organization_id,) in _crowded(rows, most):
        own = rows.filter(organization_id=organization_id)
        oldest = own.order_by("-touched_at").values_list("touched_at", flat=True)[most]
        # One statement: a row that is touched in between is newer by then, and stays.
        own.filter(touched_at__lte=oldest).delete()


def _crowded(rows: QuerySet[Any], most: int) -> list[tuple[int]]:
    counted = rows.order_by().values("organization_id").annotate(number=Count("pk"))
    return list(counted.filter(number__gt=most).values_list("organization_id"))
