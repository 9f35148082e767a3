"""Letting a person in on the word of their organization's provider: who it is, and what their groups grant there.

Nothing that a provider says touches another organization than its own, nor operators of the installation.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from metricsportal.lib import border
from teams.access import may
from teams.models import GroupGrant, Identity, IdentityProvider, Invitation, Membership, TeamMembership, User
from teams.roles import CAPABILITIES, Capability, OrganizationRole, TeamRole
from teams.services import audit
from teams.services.domains import speaks_for
from teams.services.people import assignable_roles

_ORDER: Final = list(CAPABILITIES)  # highest first
_LONGEST_NAME: Final = 200


class NotAdmittedError(Exception):
    """Why the provider's word is not enough, as a sentence for the person."""


def admit(*, provider: IdentityProvider, claims: Mapping[str, Any], now: datetime) -> User:
    """The person of checked claims, made if new, with the rights that the groups give today.

    Raises NotAdmittedError, kept in the audit log; nothing is changed then.
    """
    try:
        with border.within(provider.organization_id):
            return _admitted(provider, claims, now)
    except NotAdmittedError as refusal:
        note_refused(provider=provider, email=str(claims.get("email", "")), reason=str(refusal))
        raise


def note_refused(*, provider: IdentityProvider, email: str, reason: str) -> None:
    """Keep in the audit log whom the provider named and who was not let in."""
    target = email.replace("\0", "")[:254] or "nobody"
    audit.record(organization=provider.organization, actor=None, action="sign_in.refused", target=target, reason=reason)


def _admitted(provider: IdentityProvider, claims: Mapping[str, Any], now: datetime) -> User:
    try:
        with transaction.atomic():
            email = _email(provider, claims)
            user = _known(provider, claims, email) or _new(provider, claims, email, now)
            _apply_groups(provider, user, claims)
            return user
    except IntegrityError:  # the same new person in two browsers at once
        raise NotAdmittedError("You signed in twice at the same moment. Try again.") from None


def _email(provider: IdentityProvider, claims: Mapping[str, Any]) -> str:
    """The address of the claims, verified and of the organization's domains."""
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        raise NotAdmittedError(
            "The provider does not tell your e-mail. Whoever manages it has to send the claim email."
        )
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise NotAdmittedError("The provider tells an e-mail that is none.") from None
    verified = claims.get("email_verified", claims.get("xms_edov"))
    if not (verified in (True, "true", 1, "1") or (verified is None and provider.vouches)):
        raise NotAdmittedError("The provider has not verified your e-mail.")
    if not speaks_for(provider, email):
        raise NotAdmittedError(
            "Your e-mail is of a domain for which this provider does not speak, or that is not proven yet."
        )
    return email


def _known(provider: IdentityProvider, claims: Mapping[str, Any], email: str) -> User | None:
    """The person who came before with this subject, else the member with this address, linked from now on."""
    subject = str(claims["sub"])
    if len(subject) > 255 or "\0" in subject:
        raise NotAdmittedError("The provider names you in a way that cannot be kept.")
    linked = Identity.objects.filter(provider=provider, subject=subject)
    identity = linked.select_related("user").first()
    user = identity.user if identity else User.objects.filter(email=email).first()
    if user is None:
        return None
    member = Membership.objects.filter(organization=provider.organization_id, user=user).exists()
    if user.is_superuser or not user.is_active or not member:
        raise NotAdmittedError(
            "There is an account with this e-mail that this provider cannot open. Ask your administrator."
        )
    if identity is None:
        _link(provider, subject, user)
    return user


def _link(provider: IdentityProvider, subject: str, user: User) -> None:
    """Remember the subject. Somebody else at the provider who has got the address is somebody else."""
    if Identity.objects.filter(provider=provider, user=user).exists():
        raise NotAdmittedError(
            "Your e-mail belonged to somebody else at the provider. Your administrator has to remove the old member."
        )
    Identity.objects.create(provider=provider, subject=subject, user=user)


def _new(provider: IdentityProvider, claims: Mapping[str, Any], email: str, now: datetime) -> User:
    """An account without a password, a member; an open invitation to the address is accepted with it."""
    organization = provider.organization
    name = claims.get("name")
    user = User.objects.create_user(email, name=name.replace("\0", "")[:_LONGEST_NAME] if isinstance(name, str) else "")
    membership = Membership.objects.create(organization=organization, user=user, role=OrganizationRole.MEMBER)
    _link(provider, str(claims["sub"]), user)
    audit.record(
        organization=organization, actor=user, action="member.add", target=email, role=membership.role, by="provider"
    )
    invited = Invitation.objects.filter(organization=organization, email=email, accepted_at=None, revoked_at=None)
    for invitation in invited.filter(expires_at__gt=now).select_related("invited_by", "team", "organization"):
        _accept(invitation, membership, now)
    return user


def _accept(invitation: Invitation, membership: Membership, now: datetime) -> None:
    """What was promised, but what whoever promised may not give any more."""
    inviter, organization = invitation.invited_by, invitation.organization
    if inviter is not None and not may(inviter, organization, Capability.MANAGE_PEOPLE):
        return
    if invitation.role in assignable_roles(inviter, organization):
        membership.role = invitation.role
        membership.save(update_fields=["role"])
    if invitation.team is not None:
        TeamMembership.objects.get_or_create(
            team=invitation.team, user=membership.user, defaults={"role": invitation.team_role}
        )
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now)
    audit.record(
        organization=organization,
        actor=membership.user,
        action="invitation.accept",
        target=invitation.email,
        role=membership.role,
    )


def _apply_groups(provider: IdentityProvider, user: User, claims: Mapping[str, Any]) -> None:
    """Give and take what groups govern: the role when some group grants one, the teams that some group names."""
    grants = list(provider.grants.select_related("team"))
    groups = _groups(claims.get(provider.groups_claim)) if provider.groups_claim else set()
    if any(grant.team is None for grant in grants):
        held = {grant.role for grant in grants if grant.team is None and grant.group in groups}
        _set_role(provider, user, next((role for role in _ORDER if role in held), OrganizationRole.MEMBER))
    _set_teams(provider, user, grants, groups)


def _groups(claim: object) -> set[str]:
    """The names in a claim: a list, or one text."""
    values = claim if isinstance(claim, list) else [claim]
    return {value for value in values if isinstance(value, str)}


def _set_role(provider: IdentityProvider, user: User, role: str) -> None:
    owners = Membership.objects.select_for_update().filter(
        organization=provider.organization_id, role=OrganizationRole.OWNER
    )
    others = [pk for pk in owners.order_by("pk").values_list("user_id", flat=True) if pk != user.pk]
    membership = Membership.objects.select_for_update().get(organization=provider.organization_id, user=user)
    if membership.role == role or (membership.role == OrganizationRole.OWNER and not others):
        return  # an organization keeps its last owner, whatever the provider says
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    audit.record(
        organization=provider.organization,
        actor=None,
        action="member.role",
        target=user,
        role=role,
        before=before,
        by="groups",
    )


def _set_teams(provider: IdentityProvider, user: User, grants: list[GroupGrant], groups: set[str]) -> None:
    for team in {grant.team for grant in grants if grant.team is not None}:
        held = {grant.role for grant in grants if grant.team == team and grant.group in groups}
        role = next((role for role in (TeamRole.MANAGER, TeamRole.VIEWER) if role in held), None)
        now = TeamMembership.objects.filter(team=team, user=user).first()
        if (now.role if now else None) == role:
            continue
        if role is None:
            TeamMembership.objects.filter(team=team, user=user).delete()
        else:
            TeamMembership.objects.update_or_create(team=team, user=user, defaults={"role": role})
        audit.record(
            organization=provider.organization,
            actor=None,
            action="team.member" if role else "team.leave",
            target=user,
            team=team.name,
            role=role,
            by="groups",
        )
