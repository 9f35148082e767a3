"""What a person may is read once per request, on pages of the administration, and on those that refuse."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from teams.models import Membership, Organization, Team, User

pytestmark = pytest.mark.django_db
_ROLES = 'FROM "teams_membership"'


def asked(client: Client, path: str, status: int) -> list[str]:
    """The statements that look up organizations or what somebody is in them."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == status
    return [one["sql"] for one in captured if _ROLES in one["sql"] or 'FROM "teams_organization"' in one["sql"]]


@pytest.mark.parametrize(
    ("persona", "status", "most"),
    [("viewer", 403, 2), ("outsider", 404, 3)],  # outside: also whether the session alone keeps them out
)
def test_a_refusal_asks_nothing_for_a_navigation_that_it_does_not_show(
    acme: Organization, client: Client, request: pytest.FixtureRequest, persona: str, status: int, most: int
) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert len(asked(client, "/o/acme/settings/people", status)) == most


def test_a_page_of_the_administration_reads_roles_once(acme: Organization, client: Client, finance: User) -> None:
    client.force_login(finance)
    roles = [one for one in asked(client, "/admin/", 200) if _ROLES in one]
    assert len(roles) == 2  # whether to let them in, and what they may where


def test_the_next_request_reads_them_again(acme: Organization, search: Team, client: Client, finance: User) -> None:
    client.force_login(finance)
    assert client.get("/admin/teams/team/").status_code == 200
    Membership.objects.filter(user=finance).update(role="member")
    assert client.get("/admin/teams/team/").status_code == 302


def test_a_person_whom_no_request_loaded_is_asked_anew(acme: Organization, finance: User) -> None:
    assert finance.is_staff
    Membership.objects.filter(user=finance).update(role="member")
    assert not finance.is_staff
