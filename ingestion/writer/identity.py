"""Who is who in a batch: the columns of an identity, and the first row of each."""

from collections.abc import Sequence
from typing import Final

from ingestion.pipeline import COLUMNS, Row

ORGANIZATION: Final = COLUMNS.index("organization_id")
REQUEST_ID: Final = COLUMNS.index("request_id")
PAYLOAD_HASH: Final = COLUMNS.index("payload_hash")


def first_of_each(rows: Sequence[Row]) -> dict[str, Row]:
    """The first row of every identity."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(str(row[REQUEST_ID]), row)
    return first
