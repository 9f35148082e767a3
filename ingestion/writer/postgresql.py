"""Insertion of facts on PostgreSQL: COPY into a staging table, then one sorted INSERT that skips known identities."""

from collections.abc import Sequence
from typing import Final

from django.db import connection, models

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row
from ingestion.writer.bulk import copy_rows, driver_cursor

_FACTS: Final = LLMRequest._meta.db_table
_FIELDS: Final = {str(field.column): field for field in LLMRequest._meta.concrete_fields}
_STAGING: Final = "ingest_staging"
_NAMES: Final = ", ".join(COLUMNS)
# JSON travels as the text that we made of it; the binary form of jsonb would be a string inside a string.
_JSON: Final = frozenset(name for name in COLUMNS if isinstance(_FIELDS[name], models.JSONField))
_STAGED: Final = ", ".join(f"{name}::text AS {name}" if name in _JSON else name for name in COLUMNS)
_UNSTAGED: Final = ", ".join(f"{name}::jsonb" if name in _JSON else name for name in COLUMNS)
# Names of our own table and columns; values travel through COPY.
_CREATE: Final = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} ON COMMIT DELETE ROWS "  # noqa: S608
    f"AS SELECT {_STAGED} FROM {_FACTS} WITH NO DATA"
)
# Sorted with one collation for all writers: overlapping batches then wait for each other instead of deadlocking.
_INSERT: Final = (
    f"INSERT INTO {_FACTS} ({_NAMES}) SELECT {_UNSTAGED} FROM {_STAGING} "  # noqa: S608
    'ORDER BY request_id COLLATE "C" ON CONFLICT (organization_id, request_id) DO NOTHING RETURNING request_id'
)

# A look-up per id, whatever the planner believes about the table: with the ids as a list and statistics from before
# the last load it reads every request of the organization.
_HASHES: Final = (
    "SELECT asked.request_id, stored.payload_hash FROM unnest(%s::text[]) AS asked (request_id) "  # noqa: S608
    f"CROSS JOIN LATERAL (SELECT payload_hash FROM {_FACTS} AS fact WHERE fact.organization_id = %s "
    "AND fact.request_id = asked.request_id LIMIT 1) AS stored"
)


def insert_new(rows: Sequence[Row]) -> set[str]:
    """Insert the rows whose identity is new and return their request ids; call it inside a transaction."""
    with connection.cursor() as cursor:
        # Rows of an earlier batch are still there when both run inside one transaction.
        cursor.execute(f"{_CREATE}; DELETE FROM {_STAGING}")  # noqa: S608 - our own name
        copy_rows(_STAGING, COLUMNS, rows, [_type(column) for column in COLUMNS])
        cursor.execute(_INSERT)
        return {request_id for (request_id,) in cursor.fetchall()}


def stored_hashes(organization_id: int, request_ids: Sequence[str]) -> dict[str, bytes]:
    """Payload hashes of those ids that are stored."""
    with driver_cursor() as cursor:
        cursor.execute(_HASHES, [list(request_ids), organization_id], binary=True)
        return dict(cursor.fetchall())


def _type(column: str) -> str:
    """Name of the column's type as the driver knows it."""
    field = _FIELDS[column]
    if isinstance(field, models.CharField | models.JSONField):
        return "text"
    name = (field.rel_db_type if field.is_relation else field.db_type)(connection)
    return {"timestamp with time zone": "timestamptz"}.get(str(name), str(name))
