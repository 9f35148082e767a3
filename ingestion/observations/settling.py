"""Calls that are due, into facts through ingest like every other record.

A claim is a lease: two at once never settle the same call, and what a killed process had claimed is due again a minute
later. Ingest knows every call by its id, so settling twice makes a duplicate and never a second fact.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.conf import settings
from django.db import transaction

from ingestion import services
from ingestion.formats.langfuse import record_of
from ingestion.formats.mapping import Reading
from ingestion.models import LangfuseObservation
from ingestion.observations.purging import purge
from ingestion.observations.taking import trace_states, write
from ingestion.pipeline import Item
from ingestion.readings import reading_of
from ingestion.records import RejectedError, RequestRecord
from ingestion.writer.bulk import chunks
from ingestion.writer.retries import with_retries
from metricsportal.lib import border
from teams.models import Organization

SOURCE: Final = "langfuse"
LEASE: Final = timedelta(minutes=1)
_log = logging.getLogger(__name__)


def settle_due(now: datetime, organization: Organization | None = None) -> int:
    """Settle what is due, of one or of every organization, then forget what is old; the number of calls looked at."""
    waiting = LangfuseObservation.objects.filter(due_at__lte=now).order_by().values("organization_id").distinct()
    organizations = Organization.objects.filter(pk__in=waiting).order_by("pk")
    count = 0
    for one in organizations.filter(pk=organization.pk) if organization else organizations:
        with border.within(one.pk):
            count += _settle(one, now)
    purge(now)
    return count


def _settle(organization: Organization, now: datetime) -> int:
    count = 0
    try:
        for rows in _claims(organization.pk, now):
            count += len(rows)
            for key_id, of_key in groupby(sorted(rows, key=_key), key=_key):
                settle(organization, list(of_key), now, key_id=key_id or None)
    except services.UnavailableError as error:
        # Its rows are due again when their lease ends; the next organization may fare better.
        _log.warning("calls of %s wait: %s", organization.slug, error)
    return count


def _key(row: LangfuseObservation) -> int:
    return row.key_id or 0


def _claims(organization_id: int, now: datetime) -> Iterator[list[LangfuseObservation]]:
    while rows := claim(organization_id, now):
        yield rows


def claim(organization_id: int, now: datetime, calls: Iterable[str] | None = None) -> list[LangfuseObservation]:
    """Rows that are due, among those calls or the oldest, which nobody else settles until the lease ends.

    What is said of their traces is kept with them, so that a repeat that comes later makes the same record.
    """
    due = LangfuseObservation.objects.filter(organization_id=organization_id, due_at__lte=now)

    def attempt() -> list[LangfuseObservation]:
        with transaction.atomic():
            free = due.select_for_update(skip_locked=True)
            if calls is None:
                rows = list(free.order_by("due_at", "pk")[: services.BATCH])
            else:
                rows = [row for chunk in chunks(sorted(calls)) for row in free.filter(observation_id__in=chunk)]
            traces = trace_states(organization_id, {row.trace_id for row in rows if row.trace_state is None})
            for row in rows:
                row.trace_state = traces.get(row.trace_id, {}) if row.trace_state is None else row.trace_state
                row.touched_at, row.due_at = now, now + LEASE
            write(LangfuseObservation, rows, "trace_state", "touched_at", "due_at")
            return rows

    return with_retries(attempt)


def settle(
    organization: Organization,
    rows: Sequence[LangfuseObservation],
    now: datetime,
    *,
    key_id: int | None,
    places: Mapping[str, int] | None = None,
    refused: Sequence[tuple[int, RejectedError]] = (),
) -> services.Outcome:
    """Send claimed rows through ingest, together with the `refused` events of their batch.

    `places`: by call, the number that a refusal names. Raises UnavailableError.
    """
    items: list[Item] = list(refused)
    reading = reading_of(organization.pk)
    for number, row in enumerate(rows):
        items.append((places[row.observation_id] if places else number, _record(row, reading)))
    if not items:
        return services.Outcome()
    past_days = settings.INGEST_PAST_DAYS
    outcome = services.ingest(
        organization=organization, items=items, source=SOURCE, now=now, past_days=past_days, key_id=key_id
    )
    _finish(rows, now)
    return outcome


def _record(row: LangfuseObservation, reading: Reading) -> RequestRecord | RejectedError:
    try:
        return record_of(row.observation_id, row.state, row.trace_state or {}, reading)
    except RejectedError as error:
        return error


def _finish(rows: Sequence[LangfuseObservation], now: datetime) -> None:
    """They are facts now, except those of which a batch spoke in the meantime: these lost the lease."""
    held = LangfuseObservation.objects.filter(due_at=now + LEASE)
    for start in range(0, len(rows), 500):
        held.filter(pk__in=[row.pk for row in rows[start : start + 500]]).update(due_at=None)
