"""Who is who: repeats (same id, same payload) and conflicts (same id, other payload), in a batch and in the store."""

from collections.abc import Sequence
from typing import Final, cast

from ingestion.models import LLMRequest
from ingestion.pipeline import COLUMNS, Row

ORGANIZATION: Final = COLUMNS.index("organization_id")
REQUEST_ID: Final = COLUMNS.index("request_id")
PAYLOAD_HASH: Final = COLUMNS.index("payload_hash")
_CHUNK: Final = 500  # ids per query: SQLite allows few parameters


def first_of_each(rows: Sequence[Row]) -> dict[str, Row]:
    """The first row of every identity."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(str(row[REQUEST_ID]), row)
    return first


def stored_hashes(rows: Sequence[Row]) -> dict[str, bytes]:
    """Payload hashes of those of the rows (of one organization) whose identity is already stored."""
    found: dict[str, bytes] = {}
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        ids = [str(row[REQUEST_ID]) for row in chunk]
        facts = LLMRequest.objects.filter(organization_id=cast("int", chunk[0][ORGANIZATION]), request_id__in=ids)
        found |= {request_id: bytes(digest) for request_id, digest in facts.values_list("request_id", "payload_hash")}
    return found
