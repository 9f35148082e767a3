"""Four months of requests, rolled up, with every month closed that can be; and what is stored of it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from analytics import retention, rollups
from analytics.catalog.grains import WITH_REQUESTS
from analytics.catalog.measures import select
from analytics.chargeback import closing
from analytics.models import DayAggregate, HourAggregate
from analytics.query import engine
from analytics.query.values import Query
from analytics.retention import Passed
from ingestion.models import ChangedHour, LLMRequest
from ingestion.records import RequestRecord
from ingestion.services import ingest_records
from ingestion.watermarks import kept
from metricsportal.lib.localtime import day_start, next_day_start, zone
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization
from teams.models import Organization
from tests import make

NOW: Final = datetime(2026, 12, 10, 12, tzinfo=UTC)
"""Everything up to November is over, and so is its grace."""
FIRST: Final = datetime(2026, 7, 28, 7, 30, tzinfo=UTC)
ZONE: Final = "Asia/Kathmandu"
HOURS: Final = 16
"""In which requests start: each is rolled up on its own."""
Rows = list[tuple[Any, ...]]


def records(count: int, seed: int = 1) -> list[RequestRecord]:
    """Of models, teams, users and metadata by chance, in few hours of those months; the first one starts at FIRST."""
    dice = random.Random(seed)
    hours = [FIRST + timedelta(hours=dice.randrange((NOW - FIRST) // timedelta(hours=1))) for _ in range(HOURS)]
    started = [FIRST, *(dice.choice(hours) + timedelta(minutes=dice.randrange(30)) for _ in range(count - 1))]
    return [
        make.record(
            request_id=f"s{seed}-{number}",
            started_at=at,
            model=dice.choice(["gpt-5", "claude"]),
            user=dice.choice(["ann", "bob"]),
            team=dice.choice(["Search", "Ads", None]),
            metadata=dice.choice([{}, {"environment": "prod"}, {"environment": "dev"}]),
            latency_ms=dice.lognormvariate(7, 1),
            status_code=dice.choice([200, 200, 429]),
        )
        for number, at in enumerate(started)
    ]


def send(organization: Organization, *sent: RequestRecord) -> None:
    """Store them all."""
    outcome = ingest_records(organization=organization, records=sent, source="test", now=NOW, past_days=None)
    assert outcome.accepted == len(sent), outcome


def settle(organization: Organization) -> None:
    """Roll up, and close every month that is over."""
    rollups.drain(organization.pk)
    closing.close_due(NOW)
    assert not ChangedHour.objects.exists()


def four_months(count: int = 60, zone_name: str = ZONE) -> Organization:
    """An organization with so many requests, all of it settled."""
    organization = make.organization(zone=zone_name)
    send(organization, *records(count))
    settle(organization)
    return organization


def purge(organization: Organization, now: datetime = NOW, chunks: int | None = None) -> Passed:
    """A pass that does not rest."""
    return retention.purge(organization, now, chunks=chunks, wait=lambda seconds: None)


def days_ago(organization: Organization, days: int, now: datetime = NOW) -> datetime:
    """The first instant of the local day so many days ago."""
    return day_start(now - timedelta(days=days), zone(organization.zone))


def floor(organization: Organization) -> datetime:
    """From when on requests are kept."""
    return kept(organization.pk).requests


def old(organization: Organization, before: datetime) -> int:
    """How many requests of hours before that instant are stored."""
    return LLMRequest.objects.filter(organization=organization, hour_start__lt=before).count()


def aggregates(*tables: Any) -> Rows:
    """Every stored aggregate with its id, byte for byte; not the columns of single requests, which go with them."""
    answer: Rows = []
    for table in tables or (HourAggregate, DayAggregate):
        for row in table._default_manager.exclude(grain__in=WITH_REQUESTS).order_by("pk").values_list():
            answer.append((table.__name__, *(bytes(one) if isinstance(one, memoryview) else one for one in row)))
    return answer


def total(organization: Organization) -> int:
    """The requests of all days until tomorrow, as the engine counts them."""
    period = TimeRange(days_ago(organization, 200), next_day_start(NOW, zone(organization.zone)))
    query = Query(scope_of_organization(organization), period, (select("requests"),))
    return engine.run(query, NOW).summary.total_requests
