"""Two furnished organizations: whatever belongs to the other one has "rival" in its name."""

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client

from teams.models import (
    ApiKey,
    AuditEntry,
    Membership,
    Organization,
    ReportRecipient,
    Team,
    User,
    VirtualAccount,
)
from teams.services import audit
from tests import make

Enter = Callable[[str], Client]
MODELS: tuple[type[Model], ...] = (Organization, Membership, User, Team, VirtualAccount, ApiKey, AuditEntry)


def furnish(organization: Organization, team: Team) -> None:
    """One row of everything, named after the organization."""
    slug = organization.slug
    person = make.team_member(team, "manager", email=f"furniture@{slug}.example")
    ReportRecipient.objects.create(team=team, email=f"report@{slug}.example")
    make.virtual_account(organization, f"{slug} bot", team=team)
    issued = make.key(organization, owner=person)
    ApiKey.objects.filter(pk=issued.key.pk).update(name=f"{slug} key")
    audit.record(organization=organization, actor=person, action=f"{slug}.act", target=f"{slug} thing")


@pytest.fixture(autouse=True)
def furniture(acme: Organization, rival: Organization, search: Team, outsider: User) -> Team:
    """Rows in both; returns the team of the other organization."""
    team = make.team(rival, "Rival search")
    furnish(acme, search)
    furnish(rival, team)
    return team


@pytest.fixture
def enter(client: Client, request: pytest.FixtureRequest) -> Enter:
    """Sign in a persona by name."""

    def sign_in(persona: str) -> Client:
        client.force_login(request.getfixturevalue(persona))
        return client

    return sign_in
