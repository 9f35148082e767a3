"""Teams: the acts ask for the right themselves, whoever calls them."""

import pytest
from django.core.exceptions import PermissionDenied

from teams import services
from teams.models import AuditEntry, Organization, Team, TeamMembership, User
from tests import make

OTHERS = ["finance", "viewer", "member", "outsider", "nobody"]


def people(team: Team) -> dict[str, str]:
    return dict(TeamMembership.objects.filter(team=team).values_list("user__email", "role"))


@pytest.mark.parametrize("persona", [*OTHERS, "manager"])
def test_who_may_not_make_or_rename(
    persona: str, acme: Organization, search: Team, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(persona)
    with pytest.raises(PermissionDenied):
        services.create_team(actor=actor, organization=acme, name="Labs")
    with pytest.raises(PermissionDenied):
        services.rename_team(actor=actor, team=search, name="Labs")
    assert list(Team.objects.values_list("name", flat=True)) == ["Search"]
    refused = AuditEntry.objects.order_by("pk").values_list("action", "target", "actor__email")
    assert list(refused) == [
        ("team.create.refused", "Labs", actor.email),
        ("team.rename.refused", "Search", actor.email),
    ]


@pytest.mark.parametrize("persona", [*OTHERS, "other manager", "disabled manager"])
def test_who_may_not_fill_a_team(
    persona: str, acme: Organization, search: Team, ads: Team, admin: User, request: pytest.FixtureRequest
) -> None:
    make.team_member(search, email="there@acme.example")
    if persona in OTHERS:
        actor = request.getfixturevalue(persona)
    else:
        actor = make.team_member(ads if persona == "other manager" else search, "manager")
        actor.is_active = persona != "disabled manager"
        actor.save()
    before = people(search)
    membership = TeamMembership.objects.get(user__email="there@acme.example")
    with pytest.raises(PermissionDenied):
        services.add_to_team(actor=actor, team=search, email=admin.email, role="viewer")
    with pytest.raises(PermissionDenied):
        services.change_team_role(actor=actor, membership=membership, role="manager")
    with pytest.raises(PermissionDenied):
        services.remove_from_team(actor=actor, membership=membership)
    assert people(search) == before


@pytest.mark.parametrize("persona", ["owner", "admin", "manager", "superuser"])
def test_who_may(persona: str, search: Team, member: User, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(persona)
    membership = services.add_to_team(actor=actor, team=search, email=member.email, role="viewer")
    services.change_team_role(actor=actor, membership=membership, role="manager")
    assert people(search)[member.email] == "manager"
    services.remove_from_team(actor=actor, membership=membership)
    services.remove_from_team(actor=actor, membership=membership)
    assert member.email not in people(search)
    assert AuditEntry.objects.filter(action="team.leave").count() == 1
