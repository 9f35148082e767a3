"""Acts of tenancy: each is one verb with its rules, one transaction, one audit entry."""

from teams.services.accounts import move, register_account
from teams.services.invitations import (
    accept_as,
    accept_with_password,
    candidate,
    find_invitation,
    invite,
    needs_password,
    note_sent,
    resend,
    revoke_invitation,
)
from teams.services.keys import IssuedKey, find_key, issue_key, note_use, revoke_key, rotate_key
from teams.services.naming import find
from teams.services.naming import rename as rename_name
from teams.services.organizations import create_organization
from teams.services.people import (
    add_member,
    assignable_roles,
    change_role,
    claim_reset,
    remove_member,
    set_preferences,
)
from teams.services.rules import is_owner
from teams.services.teams import add_to_team, change_team_role, create_team, remove_from_team, rename_team

__all__ = [
    "IssuedKey",
    "accept_as",
    "accept_with_password",
    "add_member",
    "add_to_team",
    "assignable_roles",
    "candidate",
    "change_role",
    "change_team_role",
    "claim_reset",
    "create_organization",
    "create_team",
    "find",
    "find_invitation",
    "find_key",
    "invite",
    "is_owner",
    "issue_key",
    "move",
    "needs_password",
    "note_sent",
    "note_use",
    "register_account",
    "remove_from_team",
    "remove_member",
    "rename_name",
    "rename_team",
    "resend",
    "revoke_invitation",
    "revoke_key",
    "rotate_key",
    "set_preferences",
]
