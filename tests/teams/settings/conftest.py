"""Two organizations with one of everything, and people who act."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone

from ingestion.models import GatewayUser
from teams import services
from teams.models import ApiKey, Invitation, Membership, Organization, Team, TeamMembership, User, VirtualAccount
from tests import make

Enter = Callable[[str], Client]


@dataclass(frozen=True)
class Furniture:
    """Rows of one organization that addresses name."""

    organization: Organization
    team: Team
    person: User
    member: Membership
    team_member: TeamMembership
    key: ApiKey
    invitation: Invitation
    caller: GatewayUser
    account: VirtualAccount


def furnish(organization: Organization, team: Team) -> Furniture:
    slug = organization.slug
    person = make.team_member(team, "viewer", email=f"furniture@{slug}.example")
    issued = make.key(organization, owner=person)
    ApiKey.objects.filter(pk=issued.key.pk).update(name=f"{slug} key")
    invited = services.invite(
        actor=None, organization=organization, email=f"invited@{slug}.example", role="member", now=timezone.now()
    )
    return Furniture(
        organization=organization,
        team=team,
        person=person,
        member=Membership.objects.get(user=person),
        team_member=TeamMembership.objects.get(user=person),
        key=ApiKey.objects.get(pk=issued.key.pk),
        invitation=invited.invitation,
        caller=GatewayUser.objects.create(organization=organization, name=f"{slug} caller"),
        account=make.virtual_account(organization, f"{slug} account", team=team),
    )


@pytest.fixture
def ours(acme: Organization, search: Team) -> Furniture:
    """Of acme; the team is the one of manager and viewer."""
    return furnish(acme, search)


@pytest.fixture
def theirs(rival: Organization) -> Furniture:
    """Of the other organization; everything is called rival something."""
    return furnish(rival, make.team(rival, "Rival search"))


@pytest.fixture
def other_manager(ads: Team) -> User:
    """Manages another team of acme."""
    return make.team_member(ads, "manager", email="other@acme.example")


@pytest.fixture
def disabled(acme: Organization) -> User:
    """An owner of acme whose account was ended."""
    person = make.member(acme, "owner", email="disabled@acme.example")
    User.objects.filter(pk=person.pk).update(is_active=False)
    return person


@pytest.fixture
def enter(client: Client, request: pytest.FixtureRequest) -> Enter:
    """Sign in a persona by name."""

    def sign_in(persona: str) -> Client:
        client.force_login(request.getfixturevalue(persona))
        return client

    return sign_in
