"""Roles and what each may do, as data. Pure: known to nobody but `teams`."""

from enum import StrEnum
from typing import Final


class OrganizationRole(StrEnum):
    """What a person is in the organization."""

    OWNER = "owner"
    ADMIN = "admin"
    FINANCE = "finance"
    MEMBER = "member"


class TeamRole(StrEnum):
    """What a person is in one team."""

    MANAGER = "manager"
    VIEWER = "viewer"


class Capability(StrEnum):
    """One thing a role may do inside its organization."""

    SEE_EVERYTHING = "see_everything"
    MANAGE_PRICES = "manage_prices"
    MANAGE_CHARGEBACK = "manage_chargeback"
    MANAGE_PEOPLE = "manage_people"
    ANNOTATE = "annotate"


class KeyScope(StrEnum):
    """What an API key may be used for."""

    INGEST = "ingest"
    READ = "read"
    EXPORT = "export"


KEY_SCOPES: Final[dict[str, str]] = {
    KeyScope.INGEST: "Send requests",
    KeyScope.READ: "Read metrics",
    KeyScope.EXPORT: "Export reports",
}
"""What each scope lets a key do, in the words of the pages."""

_EVERYTHING: Final = frozenset(Capability)

# An unknown role is in no row here, so it may do nothing.
CAPABILITIES: Final[dict[str, frozenset[Capability]]] = {
    OrganizationRole.OWNER: _EVERYTHING,
    OrganizationRole.ADMIN: _EVERYTHING,
    OrganizationRole.FINANCE: frozenset(
        {Capability.SEE_EVERYTHING, Capability.MANAGE_PRICES, Capability.MANAGE_CHARGEBACK, Capability.ANNOTATE},
    ),
    OrganizationRole.MEMBER: frozenset(),
}
