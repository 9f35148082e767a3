"""When the traffic that a scope sees was recorded."""

from datetime import datetime, timedelta

from django.db.models import Min

from analytics.catalog.measures import select
from analytics.models import DayAggregate
from analytics.query.conditions import scope_condition
from analytics.query.engine import run
from analytics.query.keeping import kept
from analytics.query.values import Bucket, Query
from ingestion.models import LLMRequest
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

Span = tuple[datetime | None, datetime | None]


def recorded_span(scope: Scope) -> Span:
    """Start of the first request and an instant after the start of the last one; (None, None) without any.

    Where requests were removed, the month in which they began or ended.
    """
    seen = LLMRequest.objects.filter(scope_condition(scope)).order_by("started_at").values_list("started_at", flat=True)
    first, last = seen.first(), seen.last()
    earlier = _removed(scope)
    if earlier:
        first = earlier[0].start
    if last is None:
        return first, earlier[-1].end if earlier else None
    return first, last + timedelta(milliseconds=1)


def _removed(scope: Scope) -> list[Bucket]:
    """Months in which the scope had requests that were removed."""
    floor = kept(scope.organization_id).requests
    days = DayAggregate.objects.filter(organization_id=scope.organization_id, bucket_start__lt=floor)
    first = days.aggregate(first=Min("bucket_start"))["first"]
    if first is None:
        return []
    months = run(Query(scope, TimeRange(first, floor), (select("requests"),), interval=Interval.MONTH), now=floor)
    return [one for one, requests in zip(months.buckets, months.summary.requests, strict=True) if requests]
