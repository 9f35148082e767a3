"""The rows that facts point at stay where they are until the facts are committed."""

from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError, connection

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row

_TABLES: Final = {
    COLUMNS.index(field.column): field.related_model._meta.db_table
    for field in LLMRequest._meta.concrete_fields
    if field.related_model is not None
}


def hold(rows: Sequence[Row]) -> None:
    """Keep the rows that a batch points at from being deleted: what a foreign key does per row, once per batch.

    Raises IntegrityError when one is gone already; the batch then looks its names up again.
    """
    for position, table in _TABLES.items():
        ids = sorted({row[position] for row in rows} - {None}, key=str)
        if ids and _held(table, ids) != len(ids):
            raise IntegrityError(f"a row of {table} was deleted while the batch was prepared")


def _held(table: str, ids: Sequence[object]) -> int:
    # On SQLite the write lock of the transaction already keeps others away.
    lock = "FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    held = 0
    with connection.cursor() as cursor:
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ", ".join(["%s"] * len(some))
            rows = f"SELECT id FROM {connection.ops.quote_name(table)} WHERE id IN ({marks}) ORDER BY id {lock}"  # noqa: S608 - our own table
            cursor.execute(f"SELECT COUNT(*) FROM ({rows}) AS held", list(some))  # type: ignore[arg-type]  # noqa: S608 - ids
            held += cursor.fetchone()[0]
    return held
