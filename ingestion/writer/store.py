"""The one transaction of ingest: facts, changed hours and outcome counts are committed together or not at all."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Final, cast

from django.db import DataError, IntegrityError, connection, transaction

from ingestion.models import ChangedHour, IngestBatch
from ingestion.normalisation import error_text
from ingestion.pipeline import COLUMNS, Draft, Row
from ingestion.records import Code, Rejection
from ingestion.watermarks import kept
from ingestion.writer import key_uses, postgresql, sqlite
from ingestion.writer.bulk import bulk_insert
from ingestion.writer.identity import PAYLOAD_HASH, REQUEST_ID, first_of_each
from ingestion.writer.references import hold

_HOUR: Final = COLUMNS.index("hour_start")
_START: Final = COLUMNS.index("started_at")
_LOOKS: Final = 16
_EXAMPLES: Final = 5
_SENTENCE: Final = 300  # characters; it may quote what was sent


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to store with the index of their record, and what became of the others: refused, or known to be repeats."""

    organization_id: int
    source: str
    received_at: datetime
    rows: Sequence[tuple[int, Row]]
    rejected: Sequence[Rejection]
    capped: int = 0
    duplicate: int = 0
    key_id: int | None = None
    note: "Note | None" = None
    """Called inside the transaction, perhaps again when it is repeated; what it raises undoes the batch."""


@dataclass(slots=True)
class Outcome:
    """What became of each record: accepted + duplicate + conflict + rejected = received."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    capped: int = 0

    @property
    def received(self) -> int:
        """Number of records of the batch."""
        return self.accepted + self.duplicate + self.conflict + len(self.rejected)


Note = Callable[[Outcome], None]
"""Writes down the outcome of a batch where its sender keeps count, committed together with the facts."""


def write(batch: Batch) -> Outcome:
    """Store a batch; when this returns, everything it reports as accepted is committed.

    A record that the database refuses is found by halving the batch and rejected; the others are stored. Raises the
    errors of `django.db` otherwise, with nothing stored.
    """
    try:
        with transaction.atomic():
            return _store(batch, _insert_new)
    except (DataError, IntegrityError):
        with transaction.atomic():
            return _store(batch, _insert_new_isolating)


def without_repeats(organization_id: int, drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts that are not known to be stored with the same content.

    A sender that lost our answer sends whole batches again; one look at some of its ids tells. Facts are not deleted
    while they may be sent again, so what is found here need not be priced and written a second time.
    """
    step = max(len(drafts) // _LOOKS, 1)
    if not _hashes(organization_id, drafts[::step]):
        return list(drafts)
    stored = _hashes(organization_id, drafts)
    return [draft for draft in drafts if stored.get(draft.record.request_id) != draft.payload_hash]


def _hashes(organization_id: int, drafts: Sequence[Draft]) -> dict[str, bytes]:
    ids = [draft.record.request_id for draft in drafts]
    return _engine().stored_hashes(organization_id, ids) if ids else {}


_Insert = Callable[[Sequence[Row]], tuple[set[str], set[str]]]
"""Inserts new identities; returns the ids that were stored and those that the database refused."""


def _engine() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def _insert_new(rows: Sequence[Row]) -> tuple[set[str], set[str]]:
    return _engine().insert_new(rows), set()


def _insert_new_isolating(rows: Sequence[Row]) -> tuple[set[str], set[str]]:
    try:
        with transaction.atomic():
            return _insert_new(rows)
    except (DataError, IntegrityError):
        if len(rows) == 1:
            return set(), {str(rows[0][REQUEST_ID])}
    middle = len(rows) // 2
    # Halves of sorted rows keep the order in which all writers take their locks.
    ordered = sorted(rows, key=lambda row: str(row[REQUEST_ID]))
    lower, upper = _insert_new_isolating(ordered[:middle]), _insert_new_isolating(ordered[middle:])
    return lower[0] | upper[0], lower[1] | upper[1]


def _store(batch: Batch, insert: _Insert) -> Outcome:
    hold([row for _, row in batch.rows])
    rows, too_old = _not_purged(batch)  # after `hold`: the watermark stands still until the commit
    outcome = Outcome(rejected=[*batch.rejected, *too_old], capped=batch.capped, duplicate=batch.duplicate)
    first = first_of_each([row for _, row in rows])
    stored, refused = insert(list(first.values())) if first else (set[str](), set[str]())
    repeated = [request_id for request_id in first if request_id not in stored]
    known = _engine().stored_hashes(batch.organization_id, repeated) if repeated else {}
    for index, row in rows:
        request_id = str(row[REQUEST_ID])
        if request_id in refused:
            message = "The database refused this record; nothing of it was stored."
            outcome.rejected.append(Rejection(index, Code.INVALID, "", message))
        elif request_id in stored and row is first[request_id]:
            outcome.accepted += 1
        elif row[PAYLOAD_HASH] == known.get(request_id, first[request_id][PAYLOAD_HASH]):
            outcome.duplicate += 1
        else:
            outcome.conflict += 1
    outcome.rejected.sort(key=lambda rejection: rejection.index)
    key_uses.note(batch.organization_id, [first[request_id] for request_id in stored])
    _log_changed_hours(batch, {first[request_id][_HOUR] for request_id in stored})
    _log_outcome(batch, outcome)
    if batch.note:
        batch.note(outcome)
    return outcome


def _not_purged(batch: Batch) -> tuple[list[tuple[int, Row]], list[Rejection]]:
    """The rows of hours whose requests are kept; one of another hour would roll it up without all the others."""
    if not batch.rows:
        return [], []
    floor = kept(batch.organization_id).requests
    rows, rejected = list[tuple[int, Row]](), list[Rejection]()
    for index, row in batch.rows:
        if cast("datetime", row[_HOUR]) >= floor:
            rows.append((index, row))
            continue
        message = (
            f"started_at must not lie before {floor:%Y-%m-%dT%H:%MZ}: earlier requests were removed and counted for "
            f"good. It is {row[_START]:%Y-%m-%dT%H:%M:%SZ}."
        )
        rejected.append(Rejection(index, Code.TIME_WINDOW, "started_at", message))
    return rows, rejected


def _log_changed_hours(batch: Batch, hours: set[object]) -> None:
    if not hours:
        return
    rows = [(batch.organization_id, hour, batch.received_at) for hour in sorted(hours, key=str)]
    bulk_insert(ChangedHour, ("organization_id", "hour_start", "appended_at"), rows)


def _log_outcome(batch: Batch, outcome: Outcome) -> None:
    if outcome.received:
        IngestBatch.objects.create(
            organization_id=batch.organization_id,
            received_at=batch.received_at,
            source=batch.source,
            key_id=batch.key_id,
            accepted=outcome.accepted,
            duplicate=outcome.duplicate,
            conflict=outcome.conflict,
            rejected=len(outcome.rejected),
            rejected_by_code=dict(Counter(rejection.code.value for rejection in outcome.rejected)),
            examples=[example(rejection) for rejection in outcome.rejected[:_EXAMPLES]],
            capped=outcome.capped,
        )


def example(rejection: Rejection) -> dict[str, object]:
    """A refused record as it is kept: short, and without characters that a database refuses."""
    field, sentence = ((error_text(text) or "") for text in (rejection.field, rejection.message))
    return {
        "index": rejection.index,
        "code": rejection.code.value,
        "field": field[:64],
        "message": sentence[:_SENTENCE],
    }
