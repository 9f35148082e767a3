"""Tables of tenancy: organizations, people, teams, virtual accounts, keys, invitations, the audit log."""

from teams.models.accounts import ApiKey, VirtualAccount
from teams.models.audit import AuditEntry
from teams.models.invitations import Invitation
from teams.models.names import Named
from teams.models.organizations import Organization
from teams.models.people import Membership, Theme, Times, User
from teams.models.teams import ReportRecipient, Team, TeamMembership

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Named",
    "Organization",
    "ReportRecipient",
    "Team",
    "TeamMembership",
    "Theme",
    "Times",
    "User",
    "VirtualAccount",
]
