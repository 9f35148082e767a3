"""The questions of the breakdown table: every group, the rows of a page, and both in the period before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from analytics.catalog.measures import Selection, select
from analytics.query import engine
from analytics.query.labels import Labels
from analytics.query.values import Query, RefusedQueryError, Result, Series, Value
from metricsportal.lib import formats

SUMS: Final = tuple(
    select(name)
    for name in (
        "requests",
        "failed_requests",
        "failure_rate",
        "requests_per_second",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cost_usd",
        "unpriced_requests",
    )
)
LISTED: Final[tuple[Selection, ...]] = (
    *SUMS,
    select("cost_per_1000_usd"),
    select("latency", "p50"),
    select("latency", "p99"),
    select("ttft", "p50"),
    select("tpot", "p50"),
)
TOTALS: Final = (*SUMS, select("cost_per_1000_usd"))
PAGE_SIZE: Final = 25  # rows of a table
POSITIONS: Final = {"share": 0} | {selection.name: number for number, selection in enumerate(LISTED)}
"""Columns that the table can be sorted by, with their place among `LISTED`; a share is in proportion to requests."""
CHANGE: Final = "change."
"""`change.cost_usd` sorts by the change of the cost."""


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of the table: by a column, or by the change of its measure."""

    column: str = "requests"
    descending: bool = True
    by_change: bool = False

    @property
    def text(self) -> str:
        """As the URL writes it."""
        return f"{'-' if self.descending else ''}{CHANGE if self.by_change else ''}{self.column}"

    @property
    def position(self) -> int:
        """Place of the measure among `LISTED`."""
        return POSITIONS[self.column]


@dataclass(frozen=True, slots=True)
class Listed:
    """`every`: the sums of every group. `rows`: everything about the groups on the page, in its order.

    `before`: the sums and the sorted measure of at least these groups in the period before, last among its selections;
    None where that cannot be answered.
    """

    sort: Sort
    every: Result
    rows: Result
    before: Result | None


def sort_of(text: str) -> Sort:
    """The order that the URL asks for, else by requests."""
    rest = text.removeprefix("-")
    column = rest.removeprefix(CHANGE)
    return Sort(column, text.startswith("-"), rest != column) if column in POSITIONS else Sort()


def listed(query: Query, earlier: Query, sort: Sort, page: int, now: datetime) -> Listed:
    """The table: percentiles and changes of groups nobody looks at cost most, so only an order by them asks for all.

    `query` and `earlier` ask for the totals of every group, in both periods.
    """
    percentile = sort.position >= len(TOTALS)
    every = engine.run(replace(query, selections=LISTED) if percentile else query, now)
    known = sorted((one for one in every.series if one.total_requests), key=lambda one: one.labels[0].text)
    before = _before(earlier, sort, known, now) if sort.by_change else None
    were = past(before)
    values = {one.labels: _ranked_by(one, sort, were.get(one.labels)) for one in known}
    known.sort(key=lambda one: rank(values[one.labels], descending=sort.descending))
    on_page = known[(page_number(page, len(known)) - 1) * PAGE_SIZE :][:PAGE_SIZE]
    shown = tuple(one.labels for one in on_page)
    rows = engine.run(replace(query, selections=LISTED, shown=shown, other=False), now)
    return Listed(sort, every, rows, before if sort.by_change else _before(earlier, sort, on_page, now))


def _before(earlier: Query, sort: Sort, groups: Sequence[Series], now: datetime) -> Result | None:
    """The same groups in the period before. A table without changes is better than none."""
    shown = tuple(one.labels for one in groups)
    selections = (*SUMS, LISTED[sort.position])
    try:
        return engine.run(replace(earlier, selections=selections, shown=shown, other=False), now)
    except RefusedQueryError:
        return None


def past(before: Result | None) -> dict[Labels, Series]:
    """The groups of the period before, and all together under no labels; nothing when there were no requests at all."""
    if before is None or not before.summary.total_requests:
        return {}
    return {(): before.summary} | {one.labels: one for one in before.series}


def _ranked_by(one: Series, sort: Sort, earlier: Series | None) -> float | None:
    value = one.total[sort.position]
    return growth(value, earlier.total[-1] if earlier else None) if sort.by_change else value


def growth(value: Value, earlier: Value) -> float | None:
    """The relative change; what is new has grown most."""
    ratio, words = formats.change(value, earlier)
    return math.inf if words == "new" else ratio


def pages(count: int) -> int:
    """Number of pages of a table."""
    return max(1, -(-count // PAGE_SIZE))


def page_number(page: int, count: int) -> int:
    """The page that is shown of that many rows."""
    return min(page, pages(count))


def rank(value: float | None, *, descending: bool) -> tuple[bool, float]:
    """Rows without a value come last in both directions."""
    number = 0.0 if value is None else float(value)
    return value is None, -number if descending else number
