"""Pages of the settings ask the database as often for many rows as for few."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from teams import services
from teams.models import Organization, Team, User
from tests import make
from tests.teams.settings.conftest import Enter


def fill(acme: Organization, search: Team, owner: User, many: int) -> None:
    for _ in range(many):
        person = make.team_member(search)
        team = make.team(acme)
        services.add_to_team(actor=owner, team=team, email=person.email, role="manager")
        make.key(acme, owner=person, team=team)
        email = f"invited-{person.pk}@person.example"
        services.invite(actor=owner, organization=acme, email=email, role="member", team=team, now=timezone.now())


@pytest.mark.parametrize("path", ["people", "teams", "teams/TEAM", "keys", "audit"])
def test_as_often_for_many_as_for_few(
    enter: Enter,
    acme: Organization,
    search: Team,
    owner: User,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client, path = enter("owner"), f"/o/acme/settings/{path.replace('TEAM', str(search.pk))}"
    fill(acme, search, owner, 2)
    with django_assert_max_num_queries(25) as few:
        assert client.get(path).status_code == 200
    fill(acme, search, owner, 8)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert client.get(path).status_code == 200
