"""The rows that facts point at stay where they are until the facts are committed."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from django.db import IntegrityError, connection

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row
from ingestion.writer.bulk import among
from teams.models import Named

_ALIASED: Final = frozenset(
    field.related_model._meta.db_table
    for field in LLMRequest._meta.concrete_fields
    if field.related_model is not None and issubclass(field.related_model, Named)
)
_TABLES: Final = {
    COLUMNS.index(field.column): field.related_model._meta.db_table
    for field in LLMRequest._meta.concrete_fields
    if field.related_model is not None
}


def hold(rows: Sequence[Row]) -> None:
    """Keep the rows that a batch points at from being deleted: what a foreign key does per row, once per batch.

    Raises IntegrityError when one is gone already, or became another one: no fact may follow that its merge would
    miss. The batch then looks its names up again.
    """
    wanted: dict[str, list[int]] = {}
    for position, table in _TABLES.items():
        if ids := {row[position] for row in rows} - {None}:
            wanted[table] = sorted(cast("set[int]", ids))
    if not wanted:
        return
    held = _held(wanted)
    gone = [table for (table, ids), count in zip(wanted.items(), held, strict=True) if count != len(ids)]
    if gone:
        raise IntegrityError(f"a row of {gone[0]} was deleted or merged while the batch was prepared")


def _held(wanted: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """How many of the rows of each table exist; they are locked in one statement."""
    # On SQLite the write lock of the transaction already keeps others away.
    lock = "FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    parts, counts, parameters = [], [], []
    for number, (table, ids) in enumerate(wanted.items()):
        chosen, values = among("id", ids)
        chosen += " AND merged_into_id IS NULL" if table in _ALIASED else ""
        rows = f"SELECT id FROM {connection.ops.quote_name(table)} WHERE {chosen} ORDER BY id {lock}"  # noqa: S608 - our own table
        parts.append(f"held_{number} AS ({rows})")
        counts.append(f"(SELECT COUNT(*) FROM held_{number})")  # noqa: S608 - our own name
        parameters.append(values)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT {', '.join(counts)}", parameters)
        found: tuple[int, ...] = cursor.fetchone()
    return found
