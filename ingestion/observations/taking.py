"""A batch merged into what is known of its calls and traces: one transaction, then it may be acknowledged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import transaction

from ingestion.formats.langfuse import Event, State, merge, value_of
from ingestion.models import LangfuseObservation, LangfuseTrace
from ingestion.observations.waiting import due_at
from ingestion.writer.bulk import chunks

Placed = tuple[int, Event]
"""An event with its place in the batch."""
_Row = TypeVar("_Row", LangfuseObservation, LangfuseTrace)
_Kept = type[LangfuseObservation] | type[LangfuseTrace]
_ID: Final[Mapping[_Kept, str]] = {LangfuseObservation: "observation_id", LangfuseTrace: "trace_id"}
_ROWS: Final = 1_000  # per statement


@dataclass(slots=True)
class Taken:
    """Calls that may be due now, and the places of events for which there was no room."""

    calls: set[str] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)


def take(organization_id: int, key_id: int | None, events: Sequence[Placed], now: datetime) -> Taken:
    """Merge the events; when this returns they are committed. Call it outside of every transaction."""
    taken = Taken()
    with transaction.atomic():
        traces = [event for event in events if event[1].of_trace and event[1].fields]
        known = _take_traces(organization_id, traces, now, taken)
        calls = [event for event in events if not event[1].of_trace]
        _take_calls(organization_id, key_id, calls, now, taken)
        taken.calls |= _freed(organization_id, known, now)
    return taken


def _take_traces(organization_id: int, events: Sequence[Placed], now: datetime, taken: Taken) -> list[str]:
    """Merges what is said of traces; returns those whose user is known."""
    # Older ones than fit are forgotten by and by; so many new ones at once are not a sender's traffic.
    known = LangfuseTrace.objects.filter(organization_id=organization_id)
    most = 2 * settings.LANGFUSE_MAX_PENDING
    accepted = _with_room(LangfuseTrace, organization_id, events, lambda: most - known.count(), taken)
    rows = _locked(LangfuseTrace, organization_id, accepted, now)
    for row in rows:
        row.state = _merged(row.state, accepted[row.trace_id])
    write(LangfuseTrace, rows, "state")
    return [row.trace_id for row in rows if value_of(row.state, "user")]


def _take_calls(
    organization_id: int, key_id: int | None, events: Sequence[Placed], now: datetime, taken: Taken
) -> None:
    waiting = LangfuseObservation.objects.filter(organization_id=organization_id, due_at__isnull=False)
    most = settings.LANGFUSE_MAX_PENDING
    accepted = _with_room(LangfuseObservation, organization_id, events, lambda: most - waiting.count(), taken)
    rows = _locked(LangfuseObservation, organization_id, accepted, now)
    for row in rows:
        row.state = _merged(row.state, accepted[row.observation_id])
        row.trace_id, row.key_id = value_of(row.state, "trace_id") or "", key_id
    traces = trace_states(organization_id, {row.trace_id for row in rows})
    grace = timedelta(seconds=settings.LANGFUSE_GRACE_SECONDS)
    for row in rows:
        # Of a fact something is said again: at once, to be counted as what it is.
        is_fact = row.trace_state is not None
        row.due_at = now if is_fact else due_at(row.state, traces.get(row.trace_id, {}), now=now, grace=grace)
    write(LangfuseObservation, rows, "state", "trace_id", "key", "due_at")
    taken.calls |= accepted.keys()


def _merged(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = merge(state, event.fields, event.stamp, event.rank)
    return state


def _freed(organization_id: int, traces: Sequence[str], now: datetime) -> set[str]:
    """Makes finished calls due that only waited for a user of their trace."""
    freed: set[str] = set()
    waiting = LangfuseObservation.objects.filter(
        organization_id=organization_id, due_at__gt=now, trace_state__isnull=True, state__has_keys=["start", "end"]
    )
    for chunk in chunks(traces):
        rows = waiting.filter(trace_id__in=chunk).select_for_update().order_by("observation_id")
        found = dict(rows.values_list("pk", "observation_id"))
        LangfuseObservation.objects.filter(pk__in=found).update(due_at=now)
        freed |= set(found.values())
    return freed


def _with_room(
    model: type[_Row], organization_id: int, events: Sequence[Placed], room: Callable[[], int], taken: Taken
) -> dict[str, list[Event]]:
    """Events by what they are about, without those of new rows for which there is no room."""
    about: dict[str, list[Placed]] = {}
    for event in events:
        about.setdefault(event[1].target, []).append(event)
    name, new = _ID[model], set(about)
    for chunk in chunks(sorted(about)):
        rows = model._default_manager.filter(organization_id=organization_id, **{f"{name}__in": chunk})
        new -= set(rows.values_list(name, flat=True))
    for target in sorted(new)[max(0, room()) :] if new else ():
        taken.refused |= {place for place, _ in about.pop(target)}
    return {target: [event for _, event in placed] for target, placed in about.items()}


def _locked(model: type[_Row], organization_id: int, ids: Iterable[str], now: datetime) -> list[_Row]:
    """The rows of those ids, made where they are missing, and locked until the commit.

    An upsert that changes something waits for whoever holds a row, and locks it; sorted, so that overlapping batches
    wait for each other instead of deadlocking.
    """
    name, wanted = _ID[model], sorted(ids)
    fresh: list[Any] = [model(organization_id=organization_id, touched_at=now, **{name: one}) for one in wanted]
    _upsert(model, fresh, ["touched_at"])
    rows: list[_Row] = []
    for chunk in chunks(wanted):
        rows += model._default_manager.filter(organization_id=organization_id, **{f"{name}__in": chunk})
    return rows


def write(model: type[_Row], rows: Sequence[_Row], *fields: str) -> None:
    """Store those fields of rows that the transaction has locked, with a statement for many rows."""
    names = [one.attname for one in model._meta.concrete_fields if not one.primary_key]
    copies: list[Any] = [model(**{name: getattr(row, name) for name in names}) for row in rows]
    _upsert(model, copies, fields)


def _upsert(model: type[_Row], rows: Sequence[Any], fields: Sequence[str]) -> None:
    manager: Any = model._default_manager
    unique = ["organization", _ID[model]]
    manager.bulk_create(rows, batch_size=_ROWS, update_conflicts=True, unique_fields=unique, update_fields=list(fields))


def trace_states(organization_id: int, traces: Iterable[str]) -> dict[str, State]:
    """What is known of those traces."""
    found: dict[str, State] = {}
    for chunk in chunks(sorted(traces)):
        rows = LangfuseTrace.objects.filter(organization_id=organization_id, trace_id__in=chunk)
        found |= dict(rows.values_list("trace_id", "state"))
    return found
