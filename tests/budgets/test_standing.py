"""What a budget counts: brute force over single requests, random subjects, zones and periods, changes of clocks too."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from analytics import rollups
from analytics.budgets import writing
from analytics.budgets.periods import span_at, span_before
from analytics.budgets.standing import standing
from analytics.catalog.measures import select
from analytics.query.engine import run
from analytics.query.values import Query
from ingestion import services as ingestion
from ingestion.models import LLMRequest, MetadataKey
from ingestion.records import RequestRecord
from teams.access import scope_of_organization
from teams.models import Organization
from teams.roles import Capability
from tests import make
from tests.budgets.scene import budget, spend

ZONES = {
    "Europe/Berlin": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # 25 hours
    "America/Santiago": datetime(2026, 9, 6, 4, 30, tzinfo=UTC),  # midnight does not exist
    "Asia/Kathmandu": datetime(2026, 10, 31, 18, 20, tzinfo=UTC),  # +5:45, at the end of a month
    "Australia/Lord_Howe": datetime(2026, 10, 3, 15, 40, tzinfo=UTC),  # half an hour
}
SUBJECTS: tuple[tuple[dict[str, str], Callable[[LLMRequest], bool]], ...] = (
    ({}, lambda one: True),
    ({"team": "Search"}, lambda one: one.team is not None and one.team.name == "Search"),
    ({"dimension": "model", "value": "gpt-4o"}, lambda one: one.model is not None and one.model.name == "gpt-4o"),
    ({"dimension": "user", "value": "ann"}, lambda one: one.user is not None and one.user.name == "ann"),
    (
        {"team": "Ads", "dimension": "virtual_account", "value": "app"},
        lambda one: bool(one.team and one.virtual_account and one.team.name == "Ads"),
    ),
    ({"dimension": "metadata.tenant", "value": "a,b"}, lambda one: one.request_id.startswith("a,b")),
)


@dataclass(frozen=True)
class Period:
    """By wall clocks alone."""

    every: str
    first: date

    def holds(self, instant: datetime, tz: ZoneInfo) -> bool:
        day = instant.astimezone(tz).date()
        if self.every == "month":
            return (day.year, day.month) == (self.first.year, self.first.month)
        return self.first <= day < self.first + timedelta(days=7 if self.every == "week" else 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("zone_name", ZONES)
def test_consumption_is_that_of_single_requests(zone_name: str) -> None:
    chance, middle, tz = random.Random(zone_name), ZONES[zone_name], ZoneInfo(zone_name)
    organization = make.organization(zone=zone_name)
    for team in ("Search", "Ads"):
        make.team(organization, team)
    MetadataKey.objects.create(organization=organization, name="tenant", registered=True)
    now = middle + timedelta(days=3)
    sent = [_record(middle + timedelta(minutes=chance.randint(-2880, 2880)), number, chance) for number in range(60)]
    ingestion.ingest_records(organization=organization, records=sent, source="test", now=now, past_days=None)
    if "/L" in zone_name or "/S" in zone_name:  # from aggregates; the others from single requests
        rollups.drain()
    facts = list(LLMRequest.objects.select_related("team", "model", "user", "virtual_account"))
    scope = scope_of_organization(organization)
    can = replace(scope, capabilities=frozenset(Capability))
    for subject, counts in SUBJECTS:
        for every, unit in (("month", "usd"), ("week", "tokens"), ("day", "usd"), ("month", "tokens")):
            described = {"name": "x", "amount": 1, "every": every, "unit": unit} | subject
            one = writing.prepared(scope=can, sent=described, now=now)
            at = middle + timedelta(hours=chance.randint(-30, 30))
            span = span_at(every, at, zone_name)
            period = Period(every, span.first)
            assert period.holds(at, tz)
            chosen = [fact for fact in facts if counts(fact) and period.holds(fact.started_at, tz)]
            found = standing(one, span, now)
            assert found.used == _used(chosen, unit), (subject, every, unit)
            assert found.unpriced == sum(fact.cost_state == "unpriced" for fact in chosen)
            assert span_before(span, zone_name).range.end == span.range.start


def _record(at: datetime, number: int, chance: random.Random) -> RequestRecord:
    tenant, cost = chance.choice(("a,b", "other")), Decimal(chance.randint(1, 10**12 - 1)).scaleb(-12)
    return make.record(
        request_id=f"{tenant}-{number}",
        started_at=at,
        team=chance.choice(("Search", "Ads", None)),
        model=chance.choice(("gpt-4o", "other")),
        user=chance.choice(("ann", "bob", None)),
        virtual_account=chance.choice(("app", None)),
        metadata={"tenant": tenant},
        input_tokens=chance.randint(0, 5000),
        reported_cost_usd=chance.choice((None, cost, cost)),
    )


def _used(facts: list[LLMRequest], unit: str) -> int:
    if unit == "usd":
        return sum(fact.cost or 0 for fact in facts)
    return sum((fact.input_tokens or 0) + (fact.output_tokens or 0) for fact in facts)


@pytest.mark.django_db
def test_the_figure_is_the_dashboards(acme: Organization) -> None:
    one = budget(acme)
    for usd in ("0.333333333333", "0.000000000001", "12.10"):
        spend(acme, usd)
    span = span_at("month", make.NOW, acme.zone)
    asked = Query(scope_of_organization(acme), span.range, (select("cost_usd"),))
    assert standing(one, span, make.NOW).used == run(asked, make.NOW).summary.total[0] == 12_433333333334


@pytest.mark.parametrize(
    ("every", "words"),
    [("month", "November 2026"), ("week", "23 to 29 November 2026"), ("day", "24 November 2026")],
)
def test_periods_in_words(every: str, words: str) -> None:
    assert span_at(every, make.NOW, "Europe/Berlin").words == words
    assert span_at("week", datetime(2026, 12, 1, 12, tzinfo=UTC), "UTC").words == "30 November to 6 December 2026"
