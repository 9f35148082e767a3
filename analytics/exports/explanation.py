"""How an answer was read, for `explain=true`: one entry per source, in the names of flat rows."""

from collections.abc import Iterable
from typing import Any

from analytics.exports.cells import short_instant
from analytics.query.values import Part


def explanation(parts: Iterable[Part]) -> dict[str, Any]:
    """Which grain or the facts served which part, rows read and milliseconds."""
    return {"parts": [_part(one) for one in parts]}


def _part(one: Part) -> dict[str, Any]:
    return {
        "source": one.source,
        "grain": one.grain or None,
        "facts": one.source == "facts",
        "start": short_instant(one.period.start),
        "end": short_instant(one.period.end),
        "ranges": one.ranges,
        "rows_read": one.rows,
        "elapsed_ms": round(one.elapsed_ms, 3),
    }
