"""What a merge would change: requests and cost by month. Closed months keep what they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from ingestion.models import LLMRequest
from ingestion.provisioning.kinds import Kind
from ingestion.repricing.closed import closed_months
from ingestion.watermarks import kept
from metricsportal.lib.localtime import local_date, zone
from metricsportal.lib.timerange import TimeRange
from teams.models import Named, Organization


@dataclass(slots=True)
class Moved:
    """Requests of one month that would move, and their cost in picodollars; those without a price cost nothing."""

    month: str
    requests: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What would move, by month, and the closed months that stay as they are."""

    months: Sequence[Moved]
    closed: Sequence[str]
    total: Moved


def preview(organization: Organization, kind: Kind, row: Named) -> Preview:
    """Of merging the row into any other one."""
    closed, tz = closed_months(organization.pk), zone(organization.zone)
    facts = movable(organization, kind, row.pk, closed)
    months: dict[str, Moved] = {}
    hours: QuerySet[Any, Any] = facts.order_by().values("hour_start")
    for hour in hours.annotate(requests=Count("pk"), cost=Sum("cost")).order_by("hour_start"):
        name = f"{local_date(hour['hour_start'], tz):%Y-%m}"
        month = months.setdefault(name, Moved(name))
        month.requests += hour["requests"]
        month.cost += int(hour["cost"] or 0)
    total = Moved("", sum(one.requests for one in months.values()), sum(one.cost for one in months.values()))
    return Preview(list(months.values()), [name for name, _ in closed], total)


def movable(
    organization: Organization, kind: Kind, row_id: int, closed: Sequence[tuple[str, TimeRange]]
) -> QuerySet[LLMRequest]:
    """The requests with that name which may move: of hours whose requests are all there, and of no closed month."""
    floor = kept(organization.pk).requests
    facts = LLMRequest.objects.filter(organization=organization, hour_start__gte=floor, **{kind.column: row_id})
    for _, month in closed:
        facts = facts.filter(Q(started_at__lt=month.start) | Q(started_at__gte=month.end))
    return facts
