"""What stands beside a statement: changes and months from frozen statements, users from the requests."""

from datetime import UTC, date, datetime

import pytest

from analytics.chargeback.insight import insight
from analytics.models import Statement
from teams.access import Scope, scope_of_organization, scope_of_user
from teams.models import Organization, Team, User
from tests.chargeback.scene import LATER, NOVEMBER, OCTOBER, SEPTEMBER, close, day, spend

pytestmark = pytest.mark.django_db


@pytest.fixture
def november(acme: Organization, search: Team, ads: Team) -> Statement:
    """The statement of a team with use in September and November, none in October; another team beside it."""
    spend(acme, day(9), "1", team="Search", model="old", user="ann")
    spend(acme, day(10), "5", team="Ads", model="old", user="rival")
    spend(acme, day(11), "4", team="Search", model="new", user="ann")
    spend(acme, day(11), "2", team="Search", model="old", user="<b>bob</b>")
    spend(acme, day(11), None, team="Search", model="mystery")
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        close(acme, month)
    return Statement.objects.get(team=search, period__month=NOVEMBER)


def whole(statement: Statement) -> Scope:
    """The eyes of the organization."""
    return scope_of_organization(statement.period.organization)


def test_months_without_use_are_there_and_the_highest_fills_the_picture(november: Statement) -> None:
    bars = insight(november, whole(november), LATER).bars
    assert [(bar.name, bar.cost, bar.height, bar.own) for bar in bars] == [
        ("September 2026", "$1.00", 16.7, False),
        ("October 2026", "$0.00", 0.0, False),
        ("November 2026", "at least $6.00", 100.0, True),
    ]


def test_changes_are_told_against_the_month_before_alone(november: Statement, acme: Organization) -> None:
    assert insight(november, whole(november), LATER).drivers == ()
    spend(acme, day(12, 5), "0.5", team="Search", model="new")
    spend(acme, day(12, 5), "9", team="Search", model="newest")
    (statement,) = [one for one in close(acme, date(2026, 12, 1), datetime(2027, 1, 9, tzinfo=UTC)) if one.team]
    drivers = insight(statement, whole(statement), LATER).drivers
    assert [(one.model, one.before, one.now, one.change) for one in drivers] == [
        ("newest", "–", "$9.00", "+$9.00"),  # noqa: RUF001 - an en dash stands for "no value"
        ("new", "$4.00", "$0.50", "-$3.50"),
        ("old", "$2.00", "–", "-$2.00"),  # noqa: RUF001
    ]


def test_users_are_those_of_the_team_and_month(november: Statement, manager: User) -> None:
    scope = scope_of_user(manager, november.period.organization)
    assert scope is not None
    for eyes in (whole(november), scope):
        people = insight(november, eyes, LATER).people
        assert [(one.name, one.cost, one.share, one.requests) for one in people] == [
            ("ann", "$4.00", "66.7 %", "1"),
            ("<b>bob</b>", "$2.00", "33.3 %", "1"),
            ("Without a user", "no price", "–", "1"),  # noqa: RUF001
        ]
        assert people[0].url == "?month=2026-11&f=team%3Aeq%3ASearch&f=user%3Aeq%3Aann"
