"""What can be merged, and the column of the facts that follows."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from ingestion.models import GatewayUser, Merge
from teams.models import Named, Organization, Team, VirtualAccount


@dataclass(frozen=True, slots=True)
class Kind:
    """One table of names. `dimension` is its name where questions are asked."""

    name: Merge.Kind
    model: type[Named]
    column: str
    dimension: str

    @property
    def noun(self) -> str:
        """What people call one of them."""
        return self.model.NOUN

    def rows(self, organization: Organization) -> "QuerySet[Any]":
        """Those of an organization, with those that became another one."""
        every: QuerySet[Any] = self.model._default_manager.all()
        return every.filter(organization=organization)


TEAM: Final = Kind(Merge.Kind.TEAM, Team, "team_id", "team")
ACCOUNT: Final = Kind(Merge.Kind.VIRTUAL_ACCOUNT, VirtualAccount, "virtual_account_id", "virtual_account")
CALLER: Final = Kind(Merge.Kind.CALLER, GatewayUser, "user_id", "user")
KINDS: Final = {kind.name.value: kind for kind in (TEAM, ACCOUNT, CALLER)}
