"""When the traffic that a scope sees was recorded."""

from datetime import datetime, timedelta

from analytics.query.conditions import scope_condition
from ingestion.models import LLMRequest
from teams.access import Scope


def recorded_span(scope: Scope) -> tuple[datetime | None, datetime | None]:
    """Start of the first request and an instant after the start of the last one; (None, None) without any."""
    seen = LLMRequest.objects.filter(scope_condition(scope)).order_by("started_at").values_list("started_at", flat=True)
    last = seen.last()
    return seen.first(), last + timedelta(milliseconds=1) if last else None
