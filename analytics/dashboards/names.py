"""How often names were used lately, for the pages that list them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from analytics.catalog.dimensions import BY_NAME
from analytics.catalog.measures import select
from analytics.query import engine
from analytics.query.values import Filter, Operator, Query, RefusedQueryError
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope

RECENT: Final = timedelta(days=30)


def recent(scope: Scope, dimensions: Sequence[str], names: Sequence[str], now: datetime) -> dict[tuple[str, ...], int]:
    """Requests of the last 30 days by those names of the first dimension, split by the others; {} when unknown."""
    if not names:
        return {}
    groups = tuple(BY_NAME[one] for one in dimensions)
    query = Query(
        scope=scope,
        period=TimeRange(now - RECENT, now),
        selections=(select("requests"),),
        group_by=groups,
        filters=(Filter(groups[0], Operator.IN, tuple(names)),),
        limit=None,
        other=False,
    )
    try:
        found = engine.run(query, now)
    except RefusedQueryError:
        return {}
    return {tuple(label.text for label in one.labels): one.total_requests for one in found.series}
