"""What is drawn on a page of days or hours comes from aggregates, whoever looks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analytics.catalog.dimensions import BY_NAME, VIEWS, metadata_dimension
from analytics.catalog.measures import select
from analytics.dashboards.questions import CHARTED, LISTED, SUMS
from analytics.query.planner import covering_grain
from analytics.query.values import Query
from ingestion.models import MetadataKey
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope, scope_of_organization
from teams.models import Organization, Team
from tests.make import NOW

FAILURES = (select("failed_requests"),)


@pytest.fixture
def key(acme: Organization) -> MetadataKey:
    return MetadataKey.objects.create(organization=acme, name="tenant", registered=True)


def grains(scope: Scope, view: str, key: MetadataKey) -> list[str | None]:
    """The grain of every question that a page asks."""
    period = TimeRange(NOW - timedelta(days=30), NOW)
    group_by = (metadata_dimension(key) if view == "metadata" else BY_NAME[view],)
    base = Query(scope=scope, period=period, selections=SUMS)
    questions = [
        base,
        *(replace(base, selections=selections, group_by=group_by) for selections in (LISTED, CHARTED)),
        *(replace(base, selections=FAILURES, group_by=(BY_NAME[name],)) for name in ("error_type", "status_code")),
    ]
    found = [covering_grain(question)[0] for question in questions]
    return [grain.name if grain else None for grain in found]


@pytest.mark.parametrize("view", [*VIEWS, "metadata"])
def test_owners_and_teams_need_no_facts(acme: Organization, search: Team, key: MetadataKey, view: str) -> None:
    whole = scope_of_organization(acme)
    for scope in (whole, replace(whole, reach=Reach.TEAMS, team_ids=frozenset({search.pk}))):
        assert None not in grains(scope, view, key)


@pytest.mark.parametrize("view", ["model", "user", "team"])
def test_people_without_a_team_need_facts_for_few_views(acme: Organization, key: MetadataKey, view: str) -> None:
    caller = replace(scope_of_organization(acme), reach=Reach.CALLER, caller="ann@example.com")
    assert grains(caller, view, key) == ["user", "user", "user", "failures", "failures"]


def test_the_smallest_grain_is_taken(acme: Organization, key: MetadataKey) -> None:
    assert grains(scope_of_organization(acme), "model", key) == ["model", "model", "model", "failures", "failures"]
