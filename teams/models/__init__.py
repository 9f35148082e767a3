"""Tables of tenancy: organizations, people, teams, virtual accounts, keys, the audit log."""

from teams.models.accounts import ApiKey, VirtualAccount
from teams.models.audit import AuditEntry
from teams.models.organizations import Organization
from teams.models.people import Membership, User
from teams.models.teams import ReportRecipient, Team, TeamMembership

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Membership",
    "Organization",
    "ReportRecipient",
    "Team",
    "TeamMembership",
    "User",
    "VirtualAccount",
]
