"""Inviting people by e-mail. The token goes out by mail alone: whoever invites never learns it.

Otherwise an administrator could accept for somebody else, choose that person's password, and wait until another
organization lets the same address in.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction

from metricsportal.lib import border
from teams.models import Invitation, Membership, Organization, Team, User
from teams.roles import Capability, TeamRole
from teams.services import audit
from teams.services.people import add_member, check_role
from teams.services.rules import require
from teams.services.teams import add_to_team

VALID_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invitation with its token, for the mail."""

    invitation: Invitation
    token: str = field(repr=False)


def invite(
    *,
    actor: User | None,
    organization: Organization,
    email: str,
    role: str,
    team: Team | None = None,
    team_role: str = TeamRole.VIEWER,
    now: datetime,
) -> Issued:
    """Let an address join once, within a week. Raises PermissionDenied, and ValidationError for who is in already."""
    email, token = email.strip().lower(), _new_token()
    with (
        audit.refusals(organization=organization, actor=actor, action="invitation.send", target=email, role=role),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        check_role(actor, organization, role)
        _check(organization, email, team, team_role)
        made, created = Invitation.objects.get_or_create(
            organization=organization,
            email=email,
            accepted_at=None,
            revoked_at=None,
            defaults={
                "role": role,
                "team": team,
                "team_role": team_role,
                "invited_by": actor,
                "digest": _digest(token),
                "expires_at": now + VALID_FOR,
            },
        )
        if not created:
            raise ValidationError({"email": "This address is invited already. Send that invitation again instead."})
        audit.record(
            organization=organization,
            actor=actor,
            action="invitation.send",
            target=email,
            role=role,
            team=team.name if team else None,
        )
    return Issued(made, token)


def resend(*, actor: User | None, invitation: Invitation, now: datetime) -> Issued:
    """Another token, valid for another week; the one before opens nothing. Raises as `invite` does."""
    organization, token = invitation.organization, _new_token()
    with (
        audit.refusals(organization=organization, actor=actor, action="invitation.resend", target=invitation.email),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        check_role(actor, organization, invitation.role)
        current = _open(invitation.pk)
        if current is None:
            raise ValidationError("This invitation was accepted or revoked in the meantime.")
        current.digest, current.invited_by, current.sent_at = _digest(token), actor, None
        current.expires_at = now + VALID_FOR
        current.save(update_fields=["digest", "invited_by", "sent_at", "expires_at"])
        audit.record(organization=organization, actor=actor, action="invitation.resend", target=current.email)
    return Issued(current, token)


def revoke_invitation(*, actor: User | None, invitation: Invitation, now: datetime) -> None:
    """End an invitation. Ending one that is over changes nothing. Raises PermissionDenied."""
    organization = invitation.organization
    with (
        audit.refusals(organization=organization, actor=actor, action="invitation.revoke", target=invitation.email),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=now):
            audit.record(organization=organization, actor=actor, action="invitation.revoke", target=invitation.email)


def note_sent(*, invitation: Invitation, now: datetime) -> None:
    """The mail server took the mail."""
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now)


def find_invitation(token: str, now: datetime) -> Invitation | None:
    """The invitation that a token opens now. Unknown, used, revoked and expired ones look alike: None."""
    found = Invitation.objects.select_related("organization", "team", "invited_by").filter(digest=_digest(token))
    with border.everything("whose invitation it is"):
        invitation = found.filter(accepted_at=None, revoked_at=None, expires_at__gt=now).first()
    if invitation is not None:
        border.admit(invitation.organization_id)
    return invitation


def needs_password(invitation: Invitation) -> bool:
    """Whether accepting sets the password: the person is new here, or never had one."""
    person = User.objects.filter(email=invitation.email).first()
    return person is None or (person.is_active and not person.has_usable_password())


def candidate(invitation: Invitation) -> User:
    """The person as far as known, for validators of passwords; not stored."""
    return User.objects.filter(email=invitation.email).first() or User(email=invitation.email)


def accept_with_password(*, token: str, name: str, password: str, now: datetime) -> Membership:
    """Make the account of a new person and let them in; the caller has validated the password.

    Raises ValidationError when the invitation does not hold, or when the person has an account: that one signs in.
    """
    with transaction.atomic():
        invitation = _claimed(token, now)
        if not needs_password(invitation):
            raise ValidationError("There is an account with this e-mail. Sign in to accept the invitation.")
        person = User.objects.filter(email=invitation.email).first()
        if person is not None:  # added without a password: the token proves that the address is theirs
            person.set_password(password)
            person.save(update_fields=["password"])
        return _let_in(invitation, name=name, password=password)


def accept_as(*, token: str, user: User, now: datetime) -> Membership:
    """Let the person who is signed in join. Raises PermissionDenied for another address, ValidationError as above."""
    with transaction.atomic():
        invitation = _claimed(token, now)
        if user.email != invitation.email or not user.is_active:
            raise PermissionDenied("This invitation was sent to another address.")
        return _let_in(invitation)


def _claimed(token: str, now: datetime) -> Invitation:
    """The invitation of a token, taken: of two who accept at once one is told that it is over."""
    found = find_invitation(token, now)
    if found is None or not Invitation.objects.filter(
        pk=found.pk, digest=found.digest, accepted_at=None, revoked_at=None
    ).update(accepted_at=now):
        raise ValidationError("This invitation does not hold any more. Ask for a new one.")
    return found


def _let_in(invitation: Invitation, *, name: str = "", password: str | None = None) -> Membership:
    """Carry out what was promised, with the rights that the inviting person has now."""
    actor = invitation.invited_by
    try:
        membership = add_member(
            actor=actor,
            organization=invitation.organization,
            email=invitation.email,
            role=invitation.role,
            name=name,
            password=password,
        )
        if invitation.team is not None:
            add_to_team(actor=actor, team=invitation.team, email=invitation.email, role=invitation.team_role)
    except PermissionDenied:
        raise ValidationError(
            "Whoever invited you may not do so any more. Ask an administrator of the organization for a new invitation."
        ) from None
    audit.record(
        organization=invitation.organization,
        actor=membership.user,
        action="invitation.accept",
        target=invitation.email,
        role=invitation.role,
    )
    return membership


def _check(organization: Organization, email: str, team: Team | None, team_role: str) -> None:
    """Raise ValidationError, by field, for what cannot be promised."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from None
    if Membership.objects.filter(organization=organization, user__email=email).exists():
        raise ValidationError({"email": "This person belongs to the organization already."})
    if team is not None and team.organization_id != organization.pk:
        raise ValidationError({"team": "Choose a team of the organization."})
    if team_role not in set(TeamRole):
        raise ValidationError({"team_role": f"Choose from {', '.join(TeamRole)}."})


def _open(pk: int) -> Invitation | None:
    invitations = Invitation.objects.select_for_update(of=("self",)).select_related("organization", "team")
    return invitations.filter(pk=pk, accepted_at=None, revoked_at=None).first()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _digest(token: str) -> bytes:
    """SHA-256 suffices: a token has 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
