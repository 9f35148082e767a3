"""Tables of tenancy: organizations, people, teams, virtual accounts, keys, invitations, the audit log."""

from teams.models.accounts import ApiKey, VirtualAccount
from teams.models.audit import AuditEntry
from teams.models.invitations import Invitation
from teams.models.names import Named
from teams.models.organizations import Organization
from teams.models.people import Entrance, Membership, Theme, Times, User
from teams.models.sign_in import GroupGrant, Identity, IdentityProvider, ProviderDomain
from teams.models.teams import ReportRecipient, Team, TeamMembership

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Entrance",
    "GroupGrant",
    "Identity",
    "IdentityProvider",
    "Invitation",
    "Membership",
    "Named",
    "Organization",
    "ProviderDomain",
    "ReportRecipient",
    "Team",
    "TeamMembership",
    "Theme",
    "Times",
    "User",
    "VirtualAccount",
]
