"""Invitations: the acts ask for the right themselves, and one acceptance wins."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from teams import services
from teams.models import Invitation, Membership, Organization, User
from teams.services import invitations
from tests import make

NEW = "new@person.example"


def sent(acme: Organization, email: str = NEW, role: str = "member", actor: User | None = None) -> invitations.Issued:
    return services.invite(actor=actor, organization=acme, email=email, role=role, now=timezone.now())


@pytest.mark.parametrize("persona", ["finance", "manager", "viewer", "member", "outsider", "nobody"])
def test_who_may_not_invite(persona: str, acme: Organization, request: pytest.FixtureRequest) -> None:
    actor, issued = request.getfixturevalue(persona), sent(acme)
    before = list(Invitation.objects.values())
    with pytest.raises(PermissionDenied):
        sent(acme, "other@person.example", actor=actor)
    with pytest.raises(PermissionDenied):
        services.resend(actor=actor, invitation=issued.invitation, now=timezone.now())
    with pytest.raises(PermissionDenied):
        services.revoke_invitation(actor=actor, invitation=issued.invitation, now=timezone.now())
    assert list(Invitation.objects.values()) == before


def test_an_administrator_neither_invites_nor_resends_owners(acme: Organization, admin: User) -> None:
    issued = sent(acme, role="owner")
    with pytest.raises(PermissionDenied):
        sent(acme, "other@person.example", "owner", actor=admin)
    with pytest.raises(PermissionDenied):
        services.resend(actor=admin, invitation=issued.invitation, now=timezone.now())
    assert services.find_invitation(issued.token, timezone.now()) == issued.invitation


def test_an_owner_who_became_administrator_makes_no_owner_any_more(acme: Organization, owner: User) -> None:
    issued = sent(acme, role="owner", actor=owner)
    Membership.objects.filter(user=owner).update(role="admin")
    with pytest.raises(ValidationError, match="may not do so any more"):
        services.accept_with_password(token=issued.token, name="", password=make.PASSWORD, now=timezone.now())
    assert not User.objects.filter(email=NEW).exists()


def test_of_two_who_accept_at_once_one_is_told_that_it_is_over(
    acme: Organization, nobody: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = sent(acme, nobody.email)
    stale = services.find_invitation(issued.token, timezone.now())
    services.accept_as(token=issued.token, user=nobody, now=timezone.now())
    Membership.objects.all().delete()
    monkeypatch.setattr(invitations, "find_invitation", lambda token, now: stale)  # the other one had looked before
    with pytest.raises(ValidationError, match="does not hold any more"):
        services.accept_as(token=issued.token, user=nobody, now=timezone.now())
    assert not Membership.objects.exists()


def test_a_revoked_invitation_is_not_resent_and_the_address_is_free_again(acme: Organization) -> None:
    issued = sent(acme)
    services.revoke_invitation(actor=None, invitation=issued.invitation, now=timezone.now())
    with pytest.raises(ValidationError):
        services.resend(actor=None, invitation=issued.invitation, now=timezone.now())
    assert services.find_invitation(sent(acme).token, timezone.now()) is not None


def test_who_has_an_account_gets_no_password_by_invitation(acme: Organization, nobody: User) -> None:
    issued = sent(acme, nobody.email)
    with pytest.raises(ValidationError, match="Sign in to accept"):
        services.accept_with_password(token=issued.token, name="", password="another one 9", now=timezone.now())
    nobody.refresh_from_db()
    assert nobody.check_password(make.PASSWORD)
    assert Invitation.objects.get().accepted_at is None


def test_who_was_added_without_a_password_gets_one(acme: Organization, rival: Organization) -> None:
    services.add_member(actor=None, organization=rival, email=NEW, role="member")
    issued = sent(acme, NEW)
    assert services.needs_password(issued.invitation)
    services.accept_with_password(token=issued.token, name="", password=make.PASSWORD, now=timezone.now())
    person = User.objects.get(email=NEW)
    assert person.check_password(make.PASSWORD)
    assert set(Membership.objects.filter(user=person).values_list("organization__slug", flat=True)) == {"acme", "rival"}
