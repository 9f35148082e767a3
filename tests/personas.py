"""People and keys of two organizations, by the names that tests call them.

`acme` has the teams Search and Ads; `rival` is the other tenant, and everything in it is called Rival something.
Where a module keeps a world (tests/analytics/world.py), organizations and teams are those of that world.
"""

import pytest

from teams.models import Organization, Team, User
from teams.services import IssuedKey
from tests import make


def _organization(slug: str, name: str, zone: str = "UTC") -> Organization:
    return Organization.objects.filter(slug=slug).first() or make.organization(slug, name=name, zone=zone)


def _team(organization: Organization, name: str) -> Team:
    return Team.objects.filter(organization=organization, name=name).first() or make.team(organization, name)


def acme_works() -> Organization:
    """The organization that `acme` is, for a world that is stored before."""
    return _organization("acme", "Acme Works", "Europe/Berlin")


@pytest.fixture
def acme(db: None) -> Organization:
    """The organization the personas belong to."""
    return acme_works()


@pytest.fixture
def rival(db: None) -> Organization:
    """Another organization; no string of it may ever reach a person of acme."""
    return _organization("rival", "Rival Works")


@pytest.fixture
def search(acme: Organization) -> Team:
    """The team of manager and viewer."""
    return _team(acme, "Search")


@pytest.fixture
def ads(acme: Organization) -> Team:
    """A team of acme in which no persona has a role."""
    return _team(acme, "Ads")


@pytest.fixture
def owner(acme: Organization) -> User:
    """Owner of acme."""
    return make.member(acme, "owner", email="owner@acme.example")


@pytest.fixture
def admin(acme: Organization) -> User:
    """Administrator of acme."""
    return make.member(acme, "admin", email="admin@acme.example")


@pytest.fixture
def finance(acme: Organization) -> User:
    """Sees all of acme, manages prices and chargeback."""
    return make.member(acme, "finance", email="finance@acme.example")


@pytest.fixture
def manager(search: Team) -> User:
    """Manager of Search."""
    return make.team_member(search, "manager", email="manager@acme.example")


@pytest.fixture
def viewer(search: Team) -> User:
    """Viewer of Search."""
    return make.team_member(search, "viewer", email="viewer@acme.example")


@pytest.fixture
def member(acme: Organization) -> User:
    """Belongs to acme and to no team: sees the requests of their own e-mail."""
    return make.member(acme, email="member@acme.example")


@pytest.fixture
def outsider(rival: Organization) -> User:
    """Owner of the other organization."""
    return make.member(rival, "owner", email="outsider@rival.example")


@pytest.fixture
def nobody(db: None) -> User:
    """Signs in, but belongs to no organization."""
    return make.user("nobody@example.com")


@pytest.fixture
def superuser(db: None) -> User:
    """Operates the installation; belongs to no organization."""
    return make.user("operator@example.com", is_superuser=True)


@pytest.fixture
def ingest_key(acme: Organization, owner: User) -> IssuedKey:
    """Sends requests to acme."""
    return make.key(acme, "ingest", owner=owner)


@pytest.fixture
def read_key(acme: Organization, owner: User) -> IssuedKey:
    """Reads and exports what the owner of acme sees."""
    return make.key(acme, "read", "export", owner=owner)


@pytest.fixture
def team_key(search: Team, owner: User) -> IssuedKey:
    """Reads and exports the team Search alone."""
    return make.key(search.organization, owner=owner, team=search)
