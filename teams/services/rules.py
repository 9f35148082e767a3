"""Who may act: the questions every service asks before it writes."""

from django.core.exceptions import PermissionDenied, ValidationError

from teams.access import manages, may, scope_of_user
from teams.models import Membership, Organization, Team, User
from teams.roles import Capability, OrganizationRole


class RuleBrokenError(ValidationError):
    """What nobody may do, whatever their role: kept in the audit log, unlike a mistyped word."""


def require(actor: User | None, organization: Organization, capability: Capability) -> None:
    """Raise PermissionDenied unless the actor may do that here. None is the portal itself: commands and tasks."""
    if actor is not None and not may(actor, organization, capability):
        raise PermissionDenied("Your role in this organization does not allow this.")


def require_team(actor: User | None, team: Team) -> None:
    """Raise PermissionDenied unless the actor manages that team, or people of its organization."""
    if actor is None or may(actor, team.organization, Capability.MANAGE_PEOPLE):
        return
    scope = scope_of_user(actor, team.organization)
    if scope is None or not manages(scope, team.pk):
        raise PermissionDenied("You do not manage this team.")


def is_owner(actor: User | None, organization: Organization) -> bool:
    """Whether the actor stands at the top of the organization: its owner, an operator, or the portal itself."""
    if actor is None or (actor.is_active and actor.is_superuser):
        return True
    return (
        actor.is_active
        and Membership.objects.filter(user=actor, organization=organization, role=OrganizationRole.OWNER).exists()
    )
