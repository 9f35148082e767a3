"""Insertion of facts on SQLite: the write lock of an IMMEDIATE transaction excludes every race."""

from collections.abc import Sequence

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row
from ingestion.writer.bulk import bulk_insert
from ingestion.writer.identity import REQUEST_ID, stored_hashes


def insert_new(rows: Sequence[Row]) -> set[str]:
    """Insert the rows whose identity is new and return their request ids; call it inside a transaction."""
    known = stored_hashes(rows)
    new = [row for row in rows if row[REQUEST_ID] not in known]
    bulk_insert(LLMRequest, COLUMNS, new)
    return {str(row[REQUEST_ID]) for row in new}
