"""Removing what is old: first the watermark moves, in a transaction of its own, then rows go in short ones.

Killed anywhere, the next run goes on from what is left. Two at once take turns.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from django.db import connection, models, transaction
from django.db.models import F, QuerySet

from ingestion.models import LLMRequest, Watermark
from ingestion.repricing import storage
from ingestion.watermarks import ALWAYS, kept
from ingestion.writer.bulk import among
from ingestion.writer.retries import with_retries
from teams.models import Organization

Subject = Watermark.Subject
_LOCK: Final = 0x50555247 << 32  # "PURG": apart from every other advisory lock of one 64-bit key


class Kind(NamedTuple):
    """Rows that go by age: their table, the column of their time, and how many go in one transaction.

    SQLite touches every index of a removed row and keeps all other writers waiting meanwhile.
    """

    subject: Subject
    table: type[models.Model]
    column: str
    at_once: dict[str, int]


REQUESTS: Final = Kind(Subject.REQUESTS, LLMRequest, "hour_start", {"postgresql": 10_000, "sqlite": 1_000})


class Removed(NamedTuple):
    """What one transaction removed, and where the next one may begin to look. None: there is nothing left."""

    rows: int
    reached: datetime | None


def move(organization: Organization, subject: Subject, limit: Callable[[], datetime | None]) -> datetime | None:
    """Move the watermark up to the limit, never back; returns where it stands, None when there is none.

    The limit is asked for while nothing of the organization is being stored, repriced or registered: what was begun
    before is committed and in the changed-hour log by then, and what begins after sees the watermark. Raises
    `ingestion.writer.retries.UnavailableError`.
    """
    return with_retries(partial(_move, organization, subject, limit))


def _move(organization: Organization, subject: Subject, limit: Callable[[], datetime | None]) -> datetime | None:
    with transaction.atomic(durable=True):
        storage.lock(organization.pk)
        # Every batch holds this row until its commit: what foreign keys hold, and what `hold` says once per batch.
        Organization.objects.select_for_update().get(pk=organization.pk)
        before = limit()
        mine = Watermark.objects.filter(organization=organization, subject=subject).first()
        if before is None or (mine is not None and before <= mine.before):
            return mine.before if mine else None
        if mine is None:
            mine = Watermark(organization=organization, subject=subject)
        mine.before, mine.finished_at = before, None
        mine.save()
        return before


def remove(kind: Kind, organization_id: int, reached: datetime = ALWAYS) -> Removed:
    """Remove some of what lies before the watermark, the oldest from `reached` on first, in a transaction of its own.

    Raises `ingestion.writer.retries.UnavailableError`.
    """
    return with_retries(partial(_remove, kind, organization_id, reached))


def _remove(kind: Kind, organization_id: int, reached: datetime) -> Removed:
    most = kind.at_once[connection.vendor]
    with transaction.atomic():
        _take_turns(organization_id)
        before = getattr(kept(organization_id), kind.subject)
        old = older(kind, organization_id, before).filter(**{f"{kind.column}__gte": reached})
        # Along the index of time, not by ranges of ids: neighbouring ids belong to all organizations.
        rows = list(old.order_by(kind.column).values_list("pk", kind.column)[:most])
        if rows:
            _delete(kind.table, sorted(pk for pk, _ in rows))
            mine = Watermark.objects.filter(organization_id=organization_id, subject=kind.subject)
            mine.update(removed=F("removed") + len(rows))
    return Removed(len(rows), rows[-1][1] if len(rows) == most else None)


def older(kind: Kind, organization_id: int, before: datetime) -> QuerySet[Any]:
    """The rows that lie before an instant."""
    return kind.table._default_manager.filter(organization_id=organization_id, **{f"{kind.column}__lt": before})


def finish(kind: Kind, organization_id: int, before: datetime, now: datetime) -> None:
    """Note that everything before the watermark is gone, unless it has moved since."""
    mine = Watermark.objects.filter(organization_id=organization_id, subject=kind.subject, before=before)
    mine.filter(finished_at=None).update(finished_at=now)


def _take_turns(organization_id: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK | organization_id])


def _delete(table: type[models.Model], ids: list[int]) -> None:
    chosen, values = among("id", ids)
    name = connection.ops.quote_name(table._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {name} WHERE {chosen}", [values])  # noqa: S608 - our own table
