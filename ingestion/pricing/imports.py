"""Catalogues into the price book: planned, shown, then appended in one transaction, or nothing is."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from ingestion.models import PriceEntry
from ingestion.pricing.catalogues.base import Catalogue, Key, origin
from ingestion.pricing.catalogues.diff import Change, Diff, Kind, Price, compare
from teams.models import Organization, User
from teams.services import audit

_ROWS: Final = 2_000  # per statement, below the limit of parameters
_KEY: Final = ("provider", "match_kind", "model_match", "token_class", "service_tier", "context_above")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would append to the prices of an organization, or of everybody (None)."""

    catalogue: Catalogue
    organization: Organization | None
    effective_from: datetime
    diff: Diff

    @property
    def digest(self) -> str:
        """Fingerprint of all entries to append and of what they replace: confirmed is what was shown."""
        scope = self.organization.pk if self.organization else None
        text = repr((self.catalogue.source, scope, sorted(map(_text, self.diff.changes))))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """How many of everything."""
        kinds = {kind.value: len(self.diff.of(kind)) for kind in Kind}
        return kinds | {"unchanged": self.diff.unchanged, "skipped": len(self.catalogue.skipped)}


class ChangedError(Exception):
    """The price book is no longer the one to which the catalogue was compared; `plan` is the comparison now."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("The price book has changed since this was compared. Look at the difference again.")
        self.plan = plan


def plan(*, catalogue: Catalogue, organization: Organization | None, effective_from: datetime) -> Plan:
    """Compare a catalogue with the entries of its earlier imports; entries by hand are never looked at."""
    return Plan(
        catalogue, organization, effective_from, compare(catalogue, _held(catalogue, organization), effective_from)
    )


def append(*, shown: Plan, digest: str, actor: User | None) -> Plan:
    """Append what was shown and return it.

    `digest` is that of the plan that a person has seen. Raises ChangedError, having written nothing, when the entries
    to append would be others by now.
    """
    with _exclusive():
        fresh = plan(catalogue=shown.catalogue, organization=shown.organization, effective_from=shown.effective_from)
        if fresh.digest != digest:
            raise ChangedError(fresh)
        PriceEntry.objects.bulk_create(_entries(fresh, actor), batch_size=_ROWS)
        if fresh.diff.changes and fresh.organization:
            audit.record(
                organization=fresh.organization,
                actor=actor,
                action="priceentry.import",
                target=fresh.catalogue.source,
                effective_from=fresh.effective_from.isoformat(),
                **fresh.counts,
            )
    return fresh


@contextmanager
def _exclusive() -> Iterator[None]:
    """A transaction in which nobody else adds prices: two imports at once would both append the same.

    SQLite: its IMMEDIATE transaction is that. PostgreSQL: readers, ingest among them, go on.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE ingestion_priceentry IN SHARE ROW EXCLUSIVE MODE")
        yield


def _held(catalogue: Catalogue, organization: Organization | None) -> dict[Key, list[Price]]:
    entries = PriceEntry.objects.filter(source__startswith=origin(catalogue.name), organization=organization)
    rows = entries.order_by("effective_from", "id").values_list(*_KEY, "effective_from", "price")
    held: dict[Key, list[Price]] = {}
    for *key, since, price in rows.iterator():
        held.setdefault(Key(*key), []).append(Price(since, price))
    return held


def _entries(shown: Plan, actor: User | None) -> Iterable[PriceEntry]:
    replaced = _same_instant(shown)
    for change in shown.diff.changes:
        yield PriceEntry(
            organization=shown.organization,
            source=shown.catalogue.source,
            **change.key._asdict(),
            price=change.new,
            effective_from=change.since,
            corrects_id=replaced.get((change.key, change.since)),
            created_by=actor,
        )


def _same_instant(shown: Plan) -> dict[tuple[Key, datetime], int]:
    """Ids of the entries of earlier editions that say something else from the very same instants on."""
    instants = {change.since for change in shown.diff.changes}
    entries = PriceEntry.objects.filter(
        source__startswith=origin(shown.catalogue.name), organization=shown.organization, effective_from__in=instants
    )
    rows = entries.order_by("id").values_list(*_KEY, "effective_from", "id")
    return {(Key(*key), since): pk for *key, since, pk in rows.iterator()}


def _text(change: Change) -> str:
    prices = ["" if price is None else f"{price.normalize():f}" for price in (change.old, change.new)]
    return repr((*change.key, change.since.isoformat(), *prices))
