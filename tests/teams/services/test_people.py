"""Members: who may let whom in, and as what."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from teams import services
from teams.models import AuditEntry, Membership, Organization, TeamMembership, User
from tests import make


def roles(organization: Organization) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=organization).values_list("user__email", "role"))


def test_a_new_person_gets_an_account(acme: Organization, admin: User) -> None:
    made = services.add_member(
        actor=admin, organization=acme, email=" Eve@Acme.example ", role="finance", name="Eve", password=make.PASSWORD
    )
    assert (made.user.email, made.user.name, made.role) == ("eve@acme.example", "Eve", "finance")
    assert made.user.check_password(make.PASSWORD)
    assert list(AuditEntry.objects.values_list("action", "target", "actor", "details")) == [
        ("member.add", "eve@acme.example", admin.pk, {"role": "finance"})
    ]


def test_a_known_person_keeps_the_password(acme: Organization, admin: User, outsider: User) -> None:
    services.add_member(actor=admin, organization=acme, email=outsider.email, role="member", password="another one 9")
    outsider.refresh_from_db()
    assert outsider.check_password(make.PASSWORD)
    assert set(Membership.objects.filter(user=outsider).values_list("organization__slug", "role")) == {
        ("rival", "owner"),
        ("acme", "member"),
    }


def test_nobody_is_added_twice_or_with_an_unknown_role(acme: Organization, admin: User) -> None:
    with pytest.raises(ValidationError):
        services.add_member(actor=admin, organization=acme, email=admin.email, role="member")
    with pytest.raises(ValidationError):
        services.add_member(actor=admin, organization=acme, email="eve@acme.example", role="root")
    with pytest.raises(ValidationError):
        services.add_member(actor=admin, organization=acme, email="no address", role="member")
    assert roles(acme) == {"admin@acme.example": "admin"}


@pytest.mark.parametrize("persona", ["finance", "manager", "viewer", "member", "outsider", "nobody"])
def test_who_may_not_manage_people(
    persona: str, acme: Organization, admin: User, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(persona)
    before = roles(acme)
    membership = Membership.objects.get(user=admin)
    with pytest.raises(PermissionDenied):
        services.add_member(actor=actor, organization=acme, email="eve@acme.example", role="member")
    with pytest.raises(PermissionDenied):
        services.change_role(actor=actor, membership=membership, role="member")
    with pytest.raises(PermissionDenied):
        services.remove_member(actor=actor, membership=membership)
    assert roles(acme) == before


def test_only_owners_touch_owners(acme: Organization, owner: User, admin: User) -> None:
    own = Membership.objects.get(user=admin)
    theirs = Membership.objects.get(user=owner)
    with pytest.raises(PermissionDenied):
        services.change_role(actor=admin, membership=own, role="owner")
    with pytest.raises(PermissionDenied):
        services.change_role(actor=admin, membership=theirs, role="member")
    with pytest.raises(PermissionDenied):
        services.remove_member(actor=admin, membership=theirs)
    with pytest.raises(PermissionDenied):
        services.add_member(actor=admin, organization=acme, email="eve@acme.example", role="owner")
    assert roles(acme) == {"owner@acme.example": "owner", "admin@acme.example": "admin"}
    services.change_role(actor=owner, membership=own, role="owner")
    assert roles(acme)["admin@acme.example"] == "owner"
    entries = AuditEntry.objects.filter(target="admin@acme.example").order_by("pk")
    assert [(entry.action, entry.details) for entry in entries] == [
        ("member.role.refused", {"role": "owner", "reason": "Only an owner may make somebody an owner."}),
        ("member.role", {"role": "owner", "before": "admin"}),
    ]


def test_an_organization_keeps_an_owner(acme: Organization, rival: Organization, owner: User) -> None:
    make.member(rival, "owner")
    membership = Membership.objects.get(user=owner)
    with pytest.raises(ValidationError):
        services.change_role(actor=owner, membership=membership, role="admin")
    with pytest.raises(ValidationError):
        services.remove_member(actor=owner, membership=membership)
    assert roles(acme) == {"owner@acme.example": "owner"}


def test_removal_ends_the_team_roles_here_alone(acme: Organization, rival: Organization, admin: User) -> None:
    person = make.team_member(make.team(acme))
    Membership.objects.create(organization=rival, user=person)
    elsewhere = TeamMembership.objects.create(team=make.team(rival), user=person)
    services.remove_member(actor=admin, membership=Membership.objects.get(user=person, organization=acme))
    assert list(TeamMembership.objects.all()) == [elsewhere]
    assert person.email not in roles(acme)
