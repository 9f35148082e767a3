"""Reading the facts of a chunk and writing back what differs, with as little work per row as the database allows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from ingestion.models import ChangedHour, LLMRequest
from ingestion.records import TOKEN_FIELDS
from ingestion.writer.bulk import Row, bulk_insert, copy_rows, read_rows

COLUMNS: Final = (
    *("id", "started_at", "hour_start", "model_id", "team_id", "virtual_account_id"),
    *("service_tier", "operation", "failed", *TOKEN_FIELDS, "units"),
    *("cost_state", "cost", "list_cost", "contracted_cost", "reported_cost"),
)
_TABLE: Final = LLMRequest._meta.db_table
_STAGING: Final = "reprice_staging"
_LOCK: Final = 0x52455052 << 32  # "REPR": apart from every other advisory lock of one 64-bit key
# Names of our own table and columns; values travel through COPY. A part need not reach the disk before the next is
# written: its facts, its hours and the place of the run are lost together or not at all, and the run's end waits for
# all of them. Without the other settings a planner that knows nothing of the temporary table may read all facts to find
# the few thousand of a chunk.
_PREPARE: Final = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} "  # noqa: S608
    "(id bigint, cost_state text, cost bigint, list_cost bigint, contracted_cost bigint) ON COMMIT DELETE ROWS; "
    f"DELETE FROM {_STAGING}; "
    "SET LOCAL synchronous_commit = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL jit = off"
)
_UPDATE: Final = (
    f"UPDATE {_TABLE} AS fact SET cost_state = new.cost_state, cost = new.cost, "  # noqa: S608
    "list_cost = new.list_cost, contracted_cost = new.contracted_cost, "
    f"price_book_version = %s FROM {_STAGING} AS new WHERE fact.id = new.id"
)
_UPDATE_ONE: Final = (
    f"UPDATE {_TABLE} SET cost_state = %s, cost = %s, list_cost = %s, contracted_cost = %s, "  # noqa: S608
    "price_book_version = %s WHERE id = %s"
)


class Cursor(NamedTuple):
    """The last fact that was looked at, in the order of time."""

    at: datetime
    id: int


class Change(NamedTuple):
    """A fact's new cost."""

    id: int
    state: str
    cost: int | None
    list_cost: int | None
    contracted_cost: int | None


def lock(organization_id: int) -> None:
    """Hold until the transaction ends: one reprice of an organization writes at a time.

    Call it first, as a statement of its own: what is read afterwards is what the one before has committed. SQLite has
    one writer at a time: its IMMEDIATE transaction is the lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK | organization_id])


def read(facts: "QuerySet[LLMRequest]", after: Cursor | None, until: Cursor | None, most: int) -> Sequence[Row]:
    """The next facts behind `after`, up to and including `until`, in the order of time as tuples of COLUMNS."""
    # The second condition of each is what an index can use, the first decides among facts of the same microsecond.
    if after is not None:
        later = Q(started_at__gt=after.at) | Q(started_at=after.at, id__gt=after.id)
        facts = facts.filter(later, started_at__gte=after.at)
    if until is not None:
        not_later = Q(started_at__lt=until.at) | Q(started_at=until.at, id__lte=until.id)
        facts = facts.filter(not_later, started_at__lte=until.at)
    rows = facts.order_by("started_at", "id").values_list(*COLUMNS)
    rows = rows[:most] if until is None else rows
    return read_rows(rows) if connection.vendor == "postgresql" else list(rows)


def write(changes: Sequence[Change], version: int) -> int:
    """Store the new costs; returns how many facts have them. Call it inside a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(_UPDATE_ONE, [(*change[1:], version, change.id) for change in changes])
            return int(cursor.rowcount)
        cursor.execute(_PREPARE)
        types = ("int8", "text", "int8", "int8", "int8")
        copy_rows(_STAGING, ("id", "cost_state", "cost", "list_cost", "contracted_cost"), changes, types)
        cursor.execute(_UPDATE, [version])
        return int(cursor.rowcount)


def log_hours(organization_id: int, hours: Iterable[datetime], now: datetime) -> None:
    """Let the aggregates of these hours be computed anew; in the transaction that changed their facts."""
    rows = [(organization_id, hour, now) for hour in sorted(hours)]
    bulk_insert(ChangedHour, ("organization_id", "hour_start", "appended_at"), rows)
