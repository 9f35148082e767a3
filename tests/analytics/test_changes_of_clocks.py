"""Days, weeks and hours add up to the range, and the range to the requests, over every change of clocks of 2026."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from analytics import rollups
from analytics.catalog.measures import Population
from analytics.query import engine
from analytics.query.values import Result
from ingestion.models import LLMRequest
from ingestion.services import ingest_records
from metricsportal.lib.localtime import Interval, midnight
from metricsportal.lib.timerange import TimeRange
from teams.models import Organization
from tests import make
from tests.analytics import oracle
from tests.analytics.brute_force import ask

pytestmark = pytest.mark.django_db

ZONES: Final = {
    "UTC": 0,
    "America/New_York": 2,
    "America/Los_Angeles": 2,
    "America/St_Johns": 2,
    "Asia/Kolkata": 0,
    "Asia/Kathmandu": 0,
    "Australia/Lord_Howe": 2,
    "Africa/Cairo": 2,
    "Africa/Casablanca": 2,
    "America/Santiago": 2,
    "Pacific/Chatham": 2,
    "Pacific/Kiritimati": 0,
}
"""With the number of their changes in 2026."""
LATER: Final = datetime(2027, 1, 9, tzinfo=UTC)
STEP: Final = timedelta(minutes=7)
NEAR: Final = timedelta(minutes=100)
HOUR: Final = timedelta(hours=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
PARTS: Final = (Interval.QUARTER_HOUR, Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH)


def changes(tz: ZoneInfo) -> list[datetime]:
    """The instants of 2026 at which the offset of the zone changes, to the half hour; found by asking for each."""
    instant, found = datetime(2026, 1, 1, tzinfo=UTC), []
    while instant.year == 2026:
        following = instant + timedelta(minutes=30)
        if instant.astimezone(tz).utcoffset() != following.astimezone(tz).utcoffset():
            found.append(following)
        instant = following
    return found


def busy(around: datetime, tz: ZoneInfo) -> list[datetime]:
    """An instant every few minutes near the change and near the midnights beside it: elsewhere hours are like any."""
    day = around.astimezone(tz).date()
    edges = [around, *(midnight(day + timedelta(days=days), tz) for days in (-1, 0, 1, 2))]
    every = (around - timedelta(days=2) + number * STEP for number in range(timedelta(days=4) // STEP))
    return [one for one in every if min(abs(one - edge) for edge in edges) <= NEAR]


def filled(organization: Organization, around: datetime) -> list[LLMRequest]:
    """Requests from the day before the instant to the day after, all of them rolled up."""
    dice = random.Random(str(around))
    records = [
        make.record(
            started_at=at,
            team=dice.choice(["Search", "Ads"]),
            input_tokens=dice.randrange(1000),
            reported_cost_usd=None,
        )
        for at in busy(around, ZoneInfo(organization.zone))
    ]
    ingest_records(organization=organization, records=records, source="test", now=LATER, past_days=None)
    rollups.drain(organization.pk)
    related = ("model", "virtual_model", "user", "virtual_account", "team", "error_type")
    return list(LLMRequest.objects.filter(organization=organization).select_related(*related))


def place(instant: datetime, interval: Interval, tz: ZoneInfo) -> object:
    """The local date, or the local hour: those of a grid that moves only where the minutes of the offset do."""
    local = instant.astimezone(tz)
    minutes = (local.utcoffset() or timedelta()) % HOUR
    return local.date() if interval is Interval.DAY else ((instant - EPOCH + minutes) // HOUR, minutes)


def by_hand(requests: list[LLMRequest], interval: Interval, tz: ZoneInfo) -> Counter[object]:
    """Requests per local hour or day."""
    return Counter(place(one.started_at, interval, tz) for one in requests)


def counted(result: Result, interval: Interval, tz: ZoneInfo) -> Counter[object]:
    """The same of an answer, by where its buckets begin."""
    answer: Counter[object] = Counter()
    for bucket, requests in zip(result.buckets, result.summary.requests, strict=True):
        answer[place(bucket.start, interval, tz)] += requests
    return +answer


@pytest.mark.parametrize("name", ZONES)
def test_parts_add_up_to_the_range_and_the_range_to_the_requests(name: str) -> None:
    tz = ZoneInfo(name)
    found = changes(tz)
    assert len(found) == ZONES[name]
    for instant in found or [datetime(2026, 3, 29, 1, tzinfo=UTC)]:
        organization = make.organization(zone=name)
        requests = filled(organization, instant)
        day = instant.astimezone(tz).date()
        period = TimeRange(midnight(day - timedelta(days=3), tz), midnight(day + timedelta(days=4), tz))
        for interval in PARTS:
            question = {"group_by": ["team"], "interval": interval, "population": Population.ALL, "period": period}
            result = engine.run(ask(organization, question), LATER)
            assert sum(result.summary.requests) == result.summary.total_requests == len(requests)
            sums = dict(zip((one.name for one in result.query.selections), result.summary.total, strict=True))
            assert sums["input_tokens"] == oracle.sums(requests)["input_tokens"]
            assert sum(sum(one.requests) for one in result.series) == len(requests)
            if interval in (Interval.HOUR, Interval.DAY):
                assert counted(result, interval, tz) == by_hand(requests, interval, tz), (interval, instant)


def test_a_year_of_days_is_the_year() -> None:
    """Also where a midnight does not exist."""
    tz = ZoneInfo("Africa/Cairo")
    organization = make.organization(zone="Africa/Cairo")
    for instant in changes(tz):
        requests = filled(organization, instant)  # those of both changes, after the second
    year = TimeRange(midnight(date(2026, 1, 1), tz), midnight(date(2027, 1, 1), tz))
    question = {"group_by": [], "interval": Interval.DAY, "population": Population.ALL, "period": year}
    result = engine.run(ask(organization, question), LATER)
    assert len(result.buckets) == 365
    assert counted(result, Interval.DAY, tz) == by_hand(requests, Interval.DAY, tz)
    months = engine.run(ask(organization, question | {"interval": Interval.MONTH}), LATER)
    assert sum(months.summary.requests) == sum(result.summary.requests) == len(requests)
