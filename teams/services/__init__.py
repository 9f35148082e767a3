"""Acts of tenancy: each is one verb with its rules, one transaction, one audit entry."""

from teams.services.keys import IssuedKey, find_key, issue_key, note_use, revoke_key
from teams.services.organizations import create_organization
from teams.services.people import add_member, change_role, remove_member

__all__ = [
    "IssuedKey",
    "add_member",
    "change_role",
    "create_organization",
    "find_key",
    "issue_key",
    "note_use",
    "remove_member",
    "revoke_key",
]
