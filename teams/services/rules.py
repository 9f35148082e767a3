"""Who may act: the questions every service asks before it writes."""

from django.core.exceptions import PermissionDenied

from teams.access import may
from teams.models import Membership, Organization, User
from teams.roles import Capability, OrganizationRole


def require(actor: User | None, organization: Organization, capability: Capability) -> None:
    """Raise PermissionDenied unless the actor may do that here. None is the portal itself: commands and tasks."""
    if actor is not None and not may(actor, organization, capability):
        raise PermissionDenied("Your role in this organization does not allow this.")


def is_owner(actor: User | None, organization: Organization) -> bool:
    """Whether the actor stands at the top of the organization: its owner, an operator, or the portal itself."""
    if actor is None or (actor.is_active and actor.is_superuser):
        return True
    return (
        actor.is_active
        and Membership.objects.filter(user=actor, organization=organization, role=OrganizationRole.OWNER).exists()
    )
