"""What is drawn on a page of days or hours comes from aggregates, whoever looks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analytics import rollups
from analytics.catalog.dimensions import BY_NAME, VIEWS, metadata_dimension
from analytics.catalog.measures import select
from analytics.dashboards.listing import LISTED, SUMS
from analytics.dashboards.questions import CHARTED
from analytics.models import DayAggregate
from analytics.query.parsing import parse_filter
from analytics.query.planner import covering_grain
from analytics.query.values import Query
from ingestion.models import MetadataKey
from metricsportal.lib.timerange import TimeRange
from teams.access import Reach, Scope, scope_of_organization
from teams.models import Organization, Team
from tests import make
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


@pytest.mark.parametrize(("view", "grain"), [("model", "user"), ("user", "team_user"), ("team", "team_user")])
def test_people_without_a_team_need_facts_for_few_views(
    acme: Organization, key: MetadataKey, view: str, grain: str
) -> None:
    caller = replace(scope_of_organization(acme), reach=Reach.CALLER, caller="ann@example.com")
    assert grains(caller, view, key) == ["team_user", grain, grain, "failures", "failures"]


def test_the_smallest_grain_is_taken(acme: Organization, key: MetadataKey) -> None:
    assert grains(scope_of_organization(acme), "model", key) == ["total", "model", "model", "errors", "errors"]


def test_of_two_that_cover_the_one_with_fewer_cells_is_taken(acme: Organization) -> None:
    """Which one that is depends on the traffic: it is counted, not assumed."""
    for number in range(4):
        record: dict[str, Any] = {
            "model": "m",
            "team": f"t{number % 2}",
            "virtual_account": f"a{number % 2}",
            "user": f"u{number}",
        }
        make.request(acme, request_id=f"r{number}", **record)
    rollups.drain()
    period = TimeRange(NOW - timedelta(days=30), NOW)
    query = Query(scope=scope_of_organization(acme), period=period, selections=SUMS)
    by_team_and_model = replace(query, group_by=(BY_NAME["team"], BY_NAME["model"]))
    grain, _ = covering_grain(by_team_and_model)
    assert grain is not None
    assert grain.name in ("team_model", "account")
    DayAggregate.objects.filter(grain=grain.name).update(cells=1000)
    other, _ = covering_grain(by_team_and_model)
    assert other is not None
    assert other.name != grain.name


def test_a_question_about_failures_needs_no_facts(acme: Organization) -> None:
    period = TimeRange(NOW - timedelta(days=30), NOW)
    failed = parse_filter("failed:eq:true", scope_of_organization(acme))
    query = Query(scope=scope_of_organization(acme), period=period, selections=SUMS, filters=(failed,))
    for group_by, name in (((), "errors"), ((BY_NAME["user"],), "failures"), ((BY_NAME["streaming"],), None)):
        grain, _ = covering_grain(replace(query, group_by=group_by))
        assert (grain and grain.name) == name
    succeeded = parse_filter("failed:eq:false", scope_of_organization(acme))
    assert covering_grain(replace(query, filters=(succeeded,))) == (None, None)


@pytest.mark.parametrize("view", ["model", "team", "metadata"])
def test_a_page_with_a_filter_on_a_metadata_key_needs_no_single_requests(
    acme: Organization, search: Team, key: MetadataKey, view: str
) -> None:
    dimension = metadata_dimension(key) if view == "metadata" else BY_NAME[view]
    base = Query(
        scope=scope_of_organization(acme),
        period=TimeRange(NOW - timedelta(days=30), NOW),
        selections=SUMS,
        filters=(parse_filter("metadata.tenant:eq:acme", scope_of_organization(acme)),),
    )
    failures = (replace(base, selections=FAILURES, group_by=(BY_NAME[name],)) for name in ("error_type", "status_code"))
    questions = [base, replace(base, group_by=(dimension,)), *failures]
    for one in questions:
        for scope in (base.scope, replace(base.scope, reach=Reach.TEAMS, team_ids=frozenset({search.pk}))):
            assert covering_grain(replace(one, scope=scope))[0] is not None
