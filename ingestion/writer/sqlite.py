"""Insertion of facts on SQLite: the write lock of an IMMEDIATE transaction excludes every race."""

from collections.abc import Sequence
from typing import Final, cast

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row
from ingestion.writer.bulk import bulk_insert
from ingestion.writer.identity import ORGANIZATION, REQUEST_ID

_CHUNK: Final = 500  # ids per query: SQLite allows few parameters


def insert_new(rows: Sequence[Row]) -> set[str]:
    """Insert the rows whose identity is new and return their request ids; call it inside a transaction."""
    known = stored_hashes(cast("int", rows[0][ORGANIZATION]), [str(row[REQUEST_ID]) for row in rows])
    new = [row for row in rows if row[REQUEST_ID] not in known]
    bulk_insert(LLMRequest, COLUMNS, new)
    return {str(row[REQUEST_ID]) for row in new}


def stored_hashes(organization_id: int, request_ids: Sequence[str]) -> dict[str, bytes]:
    """Payload hashes of those ids that are stored."""
    found: dict[str, bytes] = {}
    for start in range(0, len(request_ids), _CHUNK):
        some = request_ids[start : start + _CHUNK]
        facts = LLMRequest.objects.filter(organization_id=organization_id, request_id__in=some)
        found |= {request_id: bytes(digest) for request_id, digest in facts.values_list("request_id", "payload_hash")}
    return found
