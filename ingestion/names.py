"""Ids of all names of a batch, found or created before the transaction that inserts its facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from ingestion import dimensions
from ingestion.dimensions import Interner, Key, Known
from ingestion.metadata import intern_metadata
from ingestion.models import OVERFLOW
from ingestion.normalisation import error_type
from ingestion.pipeline import Draft
from ingestion.records import RequestRecord

_NOBODY = (None, None)


@dataclass(frozen=True, slots=True)
class BatchNames:
    """Ids of the names of one batch; `capped` = new names that became `(other)`."""

    models: Mapping[Key, Known]
    virtual_models: Mapping[Key, Known]
    users: Mapping[Key, Known]
    virtual_accounts: Mapping[Key, Known]
    teams: Mapping[Key, Known]
    error_types: Mapping[Key, Known]
    replaced: frozenset[tuple[str, str]]
    capped: int

    def model(self, provider: str | None, name: str | None) -> int | None:
        """Id of a model."""
        return None if name is None else self.models[provider or "", name].id

    def virtual_model(self, name: str | None) -> int | None:
        """Id of a virtual model."""
        return None if name is None else self.virtual_models[name].id

    def user(self, name: str | None) -> tuple[int | None, int | None]:
        """Id of a caller and of its primary team."""
        return _NOBODY if name is None else self.users[name][:2]

    def virtual_account(self, name: str | None) -> tuple[int | None, int | None]:
        """Id of an account and of its team."""
        return _NOBODY if name is None else self.virtual_accounts[name][:2]

    def team(self, name: str | None) -> int | None:
        """Id of a team."""
        return None if name is None else self.teams[name].id

    def error_type(self, name: str | None) -> int | None:
        """Id of an error type."""
        return None if name is None else self.error_types[name].id

    def metadata(self, values: dict[str, str]) -> dict[str, str]:
        """The metadata to store: values of registered keys beyond the cap are `(other)`."""
        if not self.replaced:
            return values
        return {key: OVERFLOW if (key, value) in self.replaced else value for key, value in values.items()}


def intern(organization_id: int, drafts: Sequence[Draft], now: datetime) -> BatchNames:
    """Find or create the rows of all names of a batch. Commits on its own when no transaction is open."""
    records = [draft.record for draft in drafts]
    interner = Interner(organization_id, now, settings.INGEST_NEW_VALUES_PER_HOUR)
    found = interner.intern(
        {
            dimensions.MODELS: {(r.provider or "", r.model) for r in records if r.model},
            dimensions.VIRTUAL_MODELS: {r.virtual_model for r in records if r.virtual_model},
            dimensions.USERS: {r.user for r in records if r.user},
            dimensions.VIRTUAL_ACCOUNTS: {r.virtual_account for r in records if r.virtual_account},
            dimensions.TEAMS: {r.team for r in records if r.team},
            dimensions.ERROR_TYPES: {kind for r in records if (kind := error_type(r))},
        }
    )
    emails = {r.user: r.user_email for r in records if r.user and r.user_email}
    dimensions.label_users(found[dimensions.USERS], emails)
    replaced = intern_metadata(interner, _metadata_values(records))
    return BatchNames(
        models=found[dimensions.MODELS],
        virtual_models=found[dimensions.VIRTUAL_MODELS],
        users=found[dimensions.USERS],
        virtual_accounts=found[dimensions.VIRTUAL_ACCOUNTS],
        teams=found[dimensions.TEAMS],
        error_types=found[dimensions.ERROR_TYPES],
        replaced=replaced,
        capped=interner.capped,
    )


def _metadata_values(records: Sequence[RequestRecord]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    for record in records:
        for key, value in record.metadata.items():
            values.setdefault(key, set()).add(value)
    return values
