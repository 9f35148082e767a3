"""Random questions, with filters, scopes and groupings at once, equal brute force to the last digit."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from analytics.catalog.measures import Population
from analytics.query import engine
from analytics.query.parsing import parse_filter
from ingestion.models import LLMRequest
from metricsportal.lib.localtime import Interval
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope, scope_of_organization
from teams.models import Organization
from tests import make
from tests.analytics import oracle
from tests.analytics.brute_force import FILTERS, GROUPABLE, ask, assert_equal, store
from tests.make import NOW

pytestmark = pytest.mark.django_db

ZONES: Final = ("UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
SOME, MANY = 30, 150
LONGEST: Final = {
    Interval.MINUTE: timedelta(hours=3),
    Interval.FIVE_MINUTES: timedelta(hours=16),
    Interval.QUARTER_HOUR: timedelta(hours=48),
}
"""Longer ranges have more buckets than anybody looks at; the others are as long as there is data."""


def question(dice: random.Random) -> dict[str, Any]:
    interval = dice.choice([None, None, *Interval])
    longest = LONGEST.get(interval, timedelta(days=10)) if interval else timedelta(days=10)
    length = timedelta(minutes=dice.randint(1, int(longest.total_seconds() / 60)))
    start = NOW - dice.uniform(0, 1) * (timedelta(days=10) - length) - length
    whole = dice.random() < 0.3
    return {
        "group_by": dice.sample(GROUPABLE, dice.choice([0, 1, 1, 2, 2, 3])),
        "interval": interval,
        "population": dice.choice(list(Population)),
        "period": TimeRange(start.replace(minute=0, second=0, microsecond=0) if whole else start, start + length),
        "filters": dice.sample(FILTERS, dice.choice([0, 0, 1, 1, 2, 3])),
        "reach": dice.choice([Reach.ORGANIZATION, Reach.ORGANIZATION, Reach.TEAMS, Reach.CALLER]),
    }


def seen_by(reach: Reach, organization: Organization) -> tuple[Scope, Callable[[LLMRequest], bool]]:
    """A scope, and which requests lie in it."""
    team = organization.teams.get(name="Search")
    scope = Scope(organization.pk, organization.zone, reach, frozenset({team.pk}), "ann")
    accepts: dict[Reach, Callable[[LLMRequest], bool]] = {
        Reach.ORGANIZATION: lambda one: True,
        Reach.TEAMS: lambda one: one.team_id == team.pk,
        Reach.CALLER: lambda one: oracle.label(one, "user") == "ann",
    }
    return scope, accepts[reach]


def examine(zone: str, questions: int) -> None:
    """Ask so many; raises AssertionError with the first one that has another answer."""
    dice = random.Random(f"questions of {zone}")
    organization = make.organization(zone=zone)
    make.price("gpt-5", "input", "1.25", organization=organization)
    make.price("gpt-5", "output", "10", organization=organization)
    requests = store(organization, dice, 250)
    answered = 0
    for _ in range(questions):
        asked = question(dice)
        scope, visible = seen_by(asked["reach"], organization)
        filters = tuple(parse_filter(text, scope_of_organization(organization)) for text, _ in asked["filters"])
        left = [one for one in requests if visible(one) and all(accepts(one) for _, accepts in asked["filters"])]
        expected = oracle.groups(left, asked["period"], asked["group_by"], asked["interval"], zone)
        result = engine.run(ask(organization, asked, filters=filters, scope=scope), NOW)
        try:
            assert_equal(result, expected)
        except AssertionError as error:
            raise AssertionError(f"{error} of {asked}, read from {result.meta.source}") from error
        inside = [one for many in expected.values() for one in many]
        assert result.summary.total_requests == len(inside)
        assert sum(one.total_requests for one in result.series) == len(inside)
        answered += bool(expected)
    assert answered > questions // 2, "most questions were about nothing"


@pytest.mark.parametrize("zone", ZONES)
def test_any_question_equals_brute_force(zone: str) -> None:
    examine(zone, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_many_questions_equal_brute_force(zone: str) -> None:
    examine(zone, MANY)
