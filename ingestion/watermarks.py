"""From when on single requests, and aggregates of hours, exist: what is older was removed and is not rebuilt."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingestion.models import Watermark

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every record: nothing was removed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """First instants, of local days, of which single requests and aggregates of hours are complete."""

    requests: datetime = ALWAYS
    hours: datetime = ALWAYS


def kept(organization_id: int) -> Kept:
    """What the organization still has.

    Read it after the rows in question: it moves, in a transaction of its own, before the first of them is removed.
    """
    rows = Watermark.objects.filter(organization_id=organization_id)
    return Kept(**dict(rows.values_list("subject", "before")))
