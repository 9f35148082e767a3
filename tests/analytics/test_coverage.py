"""Shares of requests that carry a metadata key: from aggregates as from the requests themselves, within the scope."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analytics import rollups
from analytics.catalog.dimensions import metadata_dimension, registered_keys
from analytics.query.coverage import coverage
from teams.access import Reach, Scope, nothing, scope_of_organization
from teams.models import Organization, Team
from tests import make
from tests.make import NOW


@pytest.fixture
def traffic(acme: Organization, search: Team, rival: Organization) -> Organization:
    """Ten requests over 40 days, eight of them within 30: six of these carry `tenant`, one `stage`."""
    for number in range(10):
        metadata = {"tenant": f"t{number % 2}"} if number < 6 else {}
        metadata |= {"stage": "prod"} if number == 7 else {}
        age = timedelta(days=35) if number >= 8 else timedelta(days=number * 3, minutes=5)
        team = "Search" if number % 2 else "Ads"
        make.request(acme, team=team, user="ann@acme.example", started_at=NOW - age, metadata=metadata)
    make.request(rival, metadata={"tenant": "x"})
    return acme


def shares(scope: Scope) -> dict[str, float | None]:
    keys = registered_keys(scope.organization_id)
    return coverage(scope, tuple(metadata_dimension(key) for key in keys), NOW)


@pytest.mark.parametrize("rolled_up", [False, True])
def test_shares_of_each_scope(traffic: Organization, search: Team, rolled_up: bool) -> None:
    if rolled_up:
        rollups.drain()
    whole = scope_of_organization(traffic)
    assert shares(whole) == {"metadata.stage": 1 / 8, "metadata.tenant": 6 / 8}
    team = replace(whole, reach=Reach.TEAMS, team_ids=frozenset({search.pk}))
    assert shares(team) == {"metadata.stage": 1 / 4, "metadata.tenant": 3 / 4}
    caller = replace(whole, reach=Reach.CALLER, caller="ann@acme.example")
    assert shares(caller) == shares(whole)
    assert shares(replace(caller, caller="bob@acme.example")) == {"metadata.stage": None, "metadata.tenant": None}
    assert shares(nothing(traffic)) == {"metadata.stage": None, "metadata.tenant": None}


def test_rolled_up_keys_need_few_statements(
    traffic: Organization, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    rollups.drain()
    keys = tuple(metadata_dimension(key) for key in registered_keys(traffic.pk))
    # Which rows there are, and those rows, of hours and of days; and those that open and close the snapshot.
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        coverage(scope_of_organization(traffic), keys, NOW)
