"""Ingest, the one way in: records to facts or to named rejections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from django.conf import settings

from ingestion import names, pipeline
from ingestion.evidence import Keep
from ingestion.metadata import register
from ingestion.pipeline import Context, Draft, Item
from ingestion.pricing.loading import price_book
from ingestion.records import Rejection, RequestRecord
from ingestion.validation import EARLIEST, Window
from ingestion.writer.retries import UnavailableError, with_retries
from ingestion.writer.store import Batch, Note, Outcome, without_repeats, write
from metricsportal.lib import border, localtime
from teams.models import Organization

__all__ = ["BATCH", "Outcome", "UnavailableError", "ingest", "ingest_records", "prepare", "register", "store"]

BATCH: Final = 5_000
"""Records per transaction where the caller has no batches of its own."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that is checked and normalised, before the database is asked."""

    organization: Organization
    source: str
    now: datetime
    drafts: Sequence[Draft]
    rejected: Sequence[Rejection]
    key_id: int | None = None


def ingest(
    *,
    organization: Organization,
    items: Iterable[Item],
    source: str,
    now: datetime,
    past_days: int | None,
    key_id: int | None = None,
) -> Outcome:
    """Store one batch in one transaction; what is reported as accepted is committed when this returns.

    `items` come from a format: index and record, or index and why there is none. `past_days` None = no lower limit of
    time. `key_id`: the key that sent it. Records are normalised in place. Raises UnavailableError when the database
    cannot store now.
    """
    prepared = prepare(organization=organization, items=items, source=source, now=now, past_days=past_days)
    return store(replace(prepared, key_id=key_id))


def prepare(
    *,
    organization: Organization,
    items: Iterable[Item],
    source: str,
    now: datetime,
    past_days: int | None,
    not_before: datetime = EARLIEST,
) -> Prepared:
    """The part of `ingest` that needs no database. `not_before`: refuses what `store` would refuse as purged."""
    window = Window.around(now, past_days=past_days, future_minutes=settings.INGEST_FUTURE_MINUTES)
    window = Window(max(window.earliest, not_before), window.latest)
    drafts, rejected = pipeline.draft(items, window)
    return Prepared(organization, source, now, drafts, rejected)


def store(batch: Prepared, note: Note | None = None) -> Outcome:
    """The part of `ingest` that commits, `note` in the same transaction. Raises UnavailableError."""
    organization_id, now = batch.organization.pk, batch.now

    def attempt() -> Outcome:
        drafts = without_repeats(organization_id, batch.drafts)
        repeated = len(batch.drafts) - len(drafts)
        stored = Batch(organization_id, batch.source, now, [], batch.rejected, 0, repeated, batch.key_id, note)
        if drafts:
            found = names.intern(organization_id, drafts, now)
            zone = localtime.zone(batch.organization.zone)
            book, keep = price_book(organization_id), Keep(settings.KEEP_USAGE)
            context = Context(organization_id, zone, now, found, book, keep)
            rows, too_expensive = pipeline.rows(drafts, context)
            stored = replace(stored, rows=rows, rejected=[*batch.rejected, *too_expensive], capped=found.capped)
        return write(stored)

    with border.within(organization_id):
        return with_retries(attempt)


def ingest_records(
    *, organization: Organization, records: Iterable[RequestRecord], source: str, now: datetime, past_days: int | None
) -> Outcome:
    """Store any number of records, one transaction per BATCH of them; the outcome is the sum."""
    total = Outcome()
    for batch in batches(enumerate(records)):
        outcome = ingest(organization=organization, items=batch, source=source, now=now, past_days=past_days)
        total.accepted += outcome.accepted
        total.duplicate += outcome.duplicate
        total.conflict += outcome.conflict
        total.rejected += outcome.rejected
        total.capped += outcome.capped
    return total


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Lists of at most `size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
