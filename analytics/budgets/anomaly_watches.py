"""Where days that stand out are told, and to whom."""

from decimal import Decimal
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from analytics.models import AnomalyWatch
from teams.models import Membership, Organization, Team, User
from teams.roles import CAPABILITIES, Capability, OrganizationRole, TeamRole
from teams.services import audit, rules

DEFAULT_MINIMUM: Final = Decimal(10)
LARGEST_MINIMUM: Final = Decimal(1_000_000)


def watch_of(organization: Organization, team: Team | None) -> AnomalyWatch:
    """How it is set; without anybody's choice on for finance, off for a team."""
    found = AnomalyWatch.objects.filter(organization=organization, team=team).first()
    return found or AnomalyWatch(organization=organization, team=team, enabled=team is None, minimum=DEFAULT_MINIMUM)


def set_watch(
    *, actor: User | None, organization: Organization, team: Team | None, enabled: bool, minimum: Decimal
) -> None:
    """Switch it on or off. Raises PermissionDenied, and ValidationError for an amount that cannot be."""
    if not Decimal("0.01") <= minimum <= LARGEST_MINIMUM:
        raise ValidationError(f"The least difference is from $0.01 to ${LARGEST_MINIMUM:,}.")
    with transaction.atomic():
        if team is None or (actor is not None and _finance(actor, organization)):
            rules.require(actor, organization, Capability.MANAGE_CHARGEBACK)
        else:
            rules.require_team(actor, team)
        # One at a time: two rows without a team would both be the organization's.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        watch = watch_of(organization, team)
        watch.enabled, watch.minimum = enabled, minimum
        if actor is not None:  # whoever sets it wants to hear of it again
            watch.silenced = [one for one in watch.silenced if one != actor.email.lower()]
        watch.save()
        audit.record(
            organization=organization,
            actor=actor,
            action="anomaly_watch.set",
            target=team or organization,
            enabled=enabled,
            minimum=str(minimum),
        )


def _finance(actor: User, organization: Organization) -> bool:
    role = Membership.objects.filter(user=actor, organization=organization).values_list("role", flat=True).first()
    return role is not None and Capability.MANAGE_CHARGEBACK in CAPABILITIES.get(role, frozenset())


def silence(organization: Organization, team: Team | None, email: str) -> bool:
    """The address wants to hear no more of it; False when it did not."""
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if email not in recipients(organization, team):
            return False
        watch = watch_of(organization, team)
        watch.silenced = [*watch.silenced, email]
        watch.save()
        audit.record(
            organization=organization,
            actor=None,
            action="anomaly_watch.unsubscribe",
            target=team or organization,
            recipient=email,
        )
    return True


def recipients(organization: Organization, team: Team | None) -> list[str]:
    """Of the organization its finance people, of a team its managers; only who may sign in and did not unsubscribe."""
    if team is not None:
        found = User.objects.filter(
            is_active=True, team_memberships__team=team, team_memberships__role=TeamRole.MANAGER
        )
    else:
        found = User.objects.filter(
            is_active=True, memberships__organization=organization, memberships__role=OrganizationRole.FINANCE
        )
    silenced = watch_of(organization, team).silenced
    addresses = found.order_by("email").values_list("email", flat=True)
    return [one.lower() for one in addresses if one.lower() not in silenced]
