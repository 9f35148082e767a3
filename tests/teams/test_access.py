"""Scopes: what each persona sees, and that rights end at once when their reason ends."""

from datetime import timedelta

import pytest

from teams import access
from teams.access import Reach
from teams.models import Membership, Organization, Team, TeamMembership, User
from teams.roles import CAPABILITIES, Capability, KeyScope
from teams.services import IssuedKey
from tests import make


@pytest.mark.parametrize(
    ("persona", "reach"),
    [
        ("owner", Reach.ORGANIZATION),
        ("admin", Reach.ORGANIZATION),
        ("finance", Reach.ORGANIZATION),
        ("manager", Reach.TEAMS),
        ("viewer", Reach.TEAMS),
        ("member", Reach.CALLER),
    ],
)
def test_reach_of_each_role(
    persona: str, reach: Reach, acme: Organization, search: Team, ads: Team, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(persona)
    scope = access.scope_of_user(person, acme)
    assert scope is not None
    assert (scope.organization_id, scope.zone, scope.reach) == (acme.pk, "Europe/Berlin", reach)
    assert scope.team_ids == ({search.pk} if reach is Reach.TEAMS else frozenset())
    assert scope.caller == f"{persona}@acme.example"
    assert scope.capabilities == CAPABILITIES[person.memberships.get().role]


@pytest.mark.parametrize("persona", ["outsider", "nobody", "superuser"])
def test_who_does_not_belong_has_no_scope(persona: str, acme: Organization, request: pytest.FixtureRequest) -> None:
    assert access.scope_of_user(request.getfixturevalue(persona), acme) is None


@pytest.mark.parametrize("role", ["", "root", "Owner"])
def test_an_unknown_role_sees_nothing(role: str, acme: Organization, search: Team, viewer: User) -> None:
    Membership.objects.update(role=role)
    scope = access.scope_of_user(viewer, acme)
    assert scope == access.nothing(acme)


def test_rights_end_with_their_reason(acme: Organization, search: Team, viewer: User, owner: User) -> None:
    TeamMembership.objects.all().delete()
    scope = access.scope_of_user(viewer, acme)
    assert scope is not None
    assert scope.reach is Reach.CALLER
    owner.is_active = False
    assert access.scope_of_user(owner, acme) is None


def test_a_role_in_a_team_of_another_organization_adds_nothing(acme: Organization, rival: Organization) -> None:
    person = make.team_member(make.team(rival))
    Membership.objects.create(organization=acme, user=person, role="member")
    scope = access.scope_of_user(person, acme)
    assert scope is not None
    assert (scope.reach, scope.team_ids) == (Reach.CALLER, frozenset())


def test_a_key_reads_what_its_owner_sees_but_manages_nothing(acme: Organization, read_key: IssuedKey) -> None:
    scope = access.scope_of_key(read_key.key, KeyScope.READ, make.NOW)
    assert scope is not None
    assert (scope.reach, scope.capabilities) == (Reach.ORGANIZATION, frozenset({Capability.SEE_EVERYTHING}))


def test_a_key_made_for_sending_sees_nothing(acme: Organization, ingest_key: IssuedKey) -> None:
    scope = access.scope_of_key(ingest_key.key, KeyScope.INGEST, make.NOW)
    assert scope == access.nothing(acme)
    assert access.scope_of_key(ingest_key.key, KeyScope.READ, make.NOW) is None


def test_the_key_of_a_demoted_owner_shrinks_and_of_a_removed_one_dies(acme: Organization, read_key: IssuedKey) -> None:
    Membership.objects.update(role="member")
    scope = access.scope_of_key(read_key.key, KeyScope.READ, make.NOW)
    assert scope is not None
    assert (scope.reach, scope.caller) == (Reach.CALLER, "owner@acme.example")
    Membership.objects.all().delete()
    assert access.scope_of_key(read_key.key, KeyScope.READ, make.NOW) is None


def test_a_team_key_reads_its_team_while_its_owner_sees_it(search: Team, ads: Team, team_key: IssuedKey) -> None:
    scope = access.scope_of_key(team_key.key, KeyScope.EXPORT, make.NOW)
    assert scope is not None
    assert (scope.reach, scope.team_ids, scope.capabilities) == (Reach.TEAMS, frozenset({search.pk}), frozenset())
    Membership.objects.update(role="member")
    TeamMembership.objects.create(team=ads, user=team_key.key.owner)
    demoted = access.scope_of_key(team_key.key, KeyScope.EXPORT, make.NOW)
    assert demoted is not None
    assert (demoted.reach, demoted.team_ids) == (Reach.NOTHING, frozenset())


def test_expiry_is_exclusive(acme: Organization, read_key: IssuedKey) -> None:
    read_key.key.expires_at = make.NOW
    assert access.scope_of_key(read_key.key, KeyScope.READ, make.NOW) is None
    assert access.scope_of_key(read_key.key, KeyScope.READ, make.NOW - timedelta(microseconds=1)) is not None


def test_where_a_person_may_act(acme: Organization, rival: Organization, superuser: User, finance: User) -> None:
    def slugs(user: User, capability: Capability) -> list[str]:
        return sorted(slug_of[each] for each in access.organizations_by_capability(user)[capability])

    slug_of = {acme.pk: acme.slug, rival.pk: rival.slug}

    assert slugs(finance, Capability.MANAGE_PRICES) == ["acme"]
    assert slugs(finance, Capability.MANAGE_PEOPLE) == []
    assert slugs(superuser, Capability.MANAGE_PEOPLE) == ["acme", "rival"]
    superuser.is_active = False
    assert slugs(superuser, Capability.MANAGE_PEOPLE) == []


def scopes(organization_id: int) -> dict[str, access.Scope]:
    def scope(reach: Reach, *teams: int, caller: str = "a@x.example") -> access.Scope:
        return access.Scope(organization_id, "UTC", reach, frozenset(teams), caller)

    return {
        "everything": scope(Reach.ORGANIZATION),
        "two teams": scope(Reach.TEAMS, 1, 2),
        "a team": scope(Reach.TEAMS, 1),
        "another team": scope(Reach.TEAMS, 3),
        "own requests": scope(Reach.CALLER),
        "another's requests": scope(Reach.CALLER, caller="b@x.example"),
        "nothing": scope(Reach.NOTHING),
    }


def test_a_scope_covers_what_it_sees_all_of() -> None:
    mine, others = scopes(1), scopes(2)
    found = {
        name: {other for other in mine if access.covers(wider, mine[other])} - {name, "nothing"}
        for name, wider in mine.items()
    }
    assert found == {
        "everything": {*mine} - {"everything", "nothing"},
        "two teams": {"a team"},
        "a team": set(),
        "another team": set(),
        "own requests": set(),
        "another's requests": set(),
        "nothing": set(),
    }
    assert all(access.covers(wider, wider) and access.covers(wider, mine["nothing"]) for wider in mine.values())
    assert not any(access.covers(wider, foreign) for wider in mine.values() for foreign in others.values())
