"""What a file is the answer to: enough to ask again, and to tell whether it is the same question."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from analytics.exports.table import Table
from analytics.query.parsing import filter_text
from analytics.query.values import Filter
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

_MOST_FILTERS: Final = 2000  # characters; a header has room for no more


def filter_texts(filters: Sequence[Filter]) -> list[str]:
    """The filters as a caller would send them."""
    return [filter_text(one) for one in filters]


def header_line(manifest: Mapping[str, Any]) -> str:
    """One line of ASCII for the header `X-Portal-Manifest`; filters that are too long for one are null there."""
    filters = manifest["filters"]
    short = filters if len(json.dumps(filters)) <= _MOST_FILTERS else None
    return json.dumps({**manifest, "filters": short}, ensure_ascii=True)


def fingerprint(scope: Scope, period: TimeRange, filters: Sequence[Filter], question: Sequence[Any]) -> str:
    """SHA-256 of the question in canonical form: the same question of the same scope has the same one."""
    parts = [
        scope.organization_id,
        scope.reach.value,
        sorted(scope.team_ids),
        scope.caller,
        period.start.isoformat(),
        period.end.isoformat(),
        *question,
        sorted(filter_texts(filters)),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def whole(table: Table) -> dict[str, Any]:
    """The manifest of a file that has been written: the question, the rows and the totals."""
    end = table.end()
    return {**table.manifest, **end.get("meta", {}), "rows": table.written, "totals": end.get("totals")}
