"""Who belongs to an organization, and as what. Only owners make, change or remove owners; one owner always stays."""

from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from teams.models import Identity, Membership, Organization, TeamMembership, Theme, Times, User
from teams.roles import CAPABILITIES, Capability, OrganizationRole
from teams.services import audit
from teams.services.rules import RuleBrokenError, is_owner, require

BETWEEN_RESETS: Final = timedelta(minutes=5)


def assignable_roles(actor: User | None, organization: Organization) -> list[str]:
    """The roles that the actor may give in the organization, highest first: only an owner makes an owner."""
    return [role for role in CAPABILITIES if role != OrganizationRole.OWNER or is_owner(actor, organization)]


def add_member(
    *,
    actor: User | None,
    organization: Organization,
    email: str,
    role: str,
    name: str = "",
    password: str | None = None,
) -> Membership:
    """Let a person in, by e-mail.

    `password` is the first one of a person new to this installation (None: cannot sign in until an operator sets
    one); an existing person keeps theirs. Raises PermissionDenied, and ValidationError when already a member.
    """
    email = email.strip().lower()
    with (
        audit.refusals(organization=organization, actor=actor, action="member.add", target=email, role=role),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        check_role(actor, organization, role)
        validate_email(email)
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, password, name=name.strip())
        membership, created = Membership.objects.get_or_create(
            organization=organization, user=user, defaults={"role": role}
        )
        if not created:
            raise ValidationError({"email": "This person belongs to the organization already."})
        audit.record(organization=organization, actor=actor, action="member.add", target=email, role=role)
    return membership


def change_role(*, actor: User | None, membership: Membership, role: str) -> None:
    """Give a member another role. Raises PermissionDenied, and ValidationError for the last owner and for oneself."""
    organization = membership.organization
    with (
        audit.refusals(organization=organization, actor=actor, action="member.role", target=membership.user, role=role),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        current = _locked(actor, membership)
        check_role(actor, organization, role)
        if current.role == role:
            return
        if role != OrganizationRole.OWNER:
            _keep_an_owner(current)
        if actor is not None and actor == current.user:
            raise RuleBrokenError("Nobody changes their own role. Ask another owner or administrator.")
        before, current.role = current.role, role
        current.save(update_fields=["role"])
        audit.record(
            organization=organization, actor=actor, action="member.role", target=current.user, role=role, before=before
        )
    membership.role = role


def set_preferences(*, user: User, theme: str, times: str) -> None:
    """How pages look to a person, and in which zone they write times. Raises ValidationError for other words."""
    for name, value, choices in (("theme", theme, Theme), ("times", times, Times)):
        if value not in choices.values:
            raise ValidationError({name: f"Choose from {', '.join(choices.values)}."})
    user.theme, user.times = theme, times
    user.save(update_fields=["theme", "times"])


def claim_reset(*, user: User, now: datetime) -> bool:
    """Whether a mail for a new password may go to the person now; of two who ask at once one may.

    Anybody can ask for anybody: the mailbox must not be filled by it.
    """
    due = Q(reset_sent_at=None) | Q(reset_sent_at__lte=now - BETWEEN_RESETS)
    return bool(User.objects.filter(due, pk=user.pk).update(reset_sent_at=now))


def remove_member(*, actor: User | None, membership: Membership) -> None:
    """End a membership with its team roles; access is gone at the next request. Raises as `change_role` does."""
    organization = membership.organization
    with (
        audit.refusals(organization=organization, actor=actor, action="member.remove", target=membership.user),
        transaction.atomic(),
    ):
        require(actor, organization, Capability.MANAGE_PEOPLE)
        current = _locked(actor, membership)
        _keep_an_owner(current)
        TeamMembership.objects.filter(user=current.user, team__organization=organization).delete()
        # Who has the address at the provider next is somebody else.
        Identity.objects.filter(provider__organization=organization, user=current.user).delete()
        current.delete()
        audit.record(organization=organization, actor=actor, action="member.remove", target=current.user)


def check_role(actor: User | None, organization: Organization, role: str) -> None:
    """Raise ValidationError for what is no role, PermissionDenied for one that the actor may not give."""
    if role not in CAPABILITIES:
        raise ValidationError({"role": f"Choose from {', '.join(CAPABILITIES)}."})
    if role not in assignable_roles(actor, organization):
        raise PermissionDenied("Only an owner may make somebody an owner.")


def _locked(actor: User | None, membership: Membership) -> Membership:
    """The membership as it is now, held until the transaction ends together with its organization's owners."""
    # Locking all owners at once: two owners who remove each other at the same moment must not both succeed.
    owners = Membership.objects.select_for_update().filter(
        organization=membership.organization_id, role=OrganizationRole.OWNER
    )
    list(owners.order_by("pk").values_list("pk", flat=True))
    current = Membership.objects.select_for_update(of=("self",)).select_related("user").filter(pk=membership.pk).first()
    if current is None:  # somebody else was faster
        raise ValidationError("This person does not belong to the organization any more.")
    if current.role == OrganizationRole.OWNER and not is_owner(actor, membership.organization):
        raise PermissionDenied("Only an owner may change or remove an owner.")
    return current


def _keep_an_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(organization=membership.organization_id, role=OrganizationRole.OWNER)
    if membership.role == OrganizationRole.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise RuleBrokenError("An organization keeps at least one owner.")
