"""The few questions whose answers fill the whole page."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from analytics.catalog import dimensions
from analytics.catalog.measures import Selection, select
from analytics.currency import Rate, rate_at
from analytics.dashboards.state import PERCENTILES, State
from analytics.query import engine
from analytics.query.labels import Labels
from analytics.query.snapshot import snapshot
from analytics.query.values import Compare, LabelKind, Query, Result
from teams.access import Scope

DURATIONS: Final = ("latency", "ttft", "itl", "tpot")
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
CHARTED: Final[tuple[Selection, ...]] = (
    *SUMS,
    *(select(name, f"p{percentile}") for name in DURATIONS for percentile in PERCENTILES),
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
MOST_ERRORS: Final = 11
PAGE_SIZE: Final = 25  # rows of a table
_POSITIONS: Final = {"share": 0} | {selection.name: number for number, selection in enumerate(LISTED)}
"""Columns that the table can be sorted by, with their place among `LISTED`; a share is in proportion to requests."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the page is drawn from. `groups` are the shown groups in series order, the rest last.

    `listed`: the sums of every group. `rows`: everything about the groups on the table's page, in its order.
    `rate`: of the second currency at the end of the range.
    """

    listed: Result
    rows: Result
    charted: Result
    counted: Result
    by_error_type: Result
    by_status_code: Result
    rate: Rate | None = None

    @property
    def groups(self) -> tuple[Labels, ...]:
        """Labels of the series."""
        return tuple(one.labels for one in self.charted.series)


def ask(state: State, scope: Scope, now: datetime) -> Answers:
    """All answers as of one instant. Raises RefusedQueryError when one of them cannot be complete.

    The sums of all groups are read first, over the whole range; the largest ones are the series of every chart.
    """
    base = Query(
        scope=scope,
        period=state.period,
        selections=TOTALS,
        filters=state.filters,
        population=state.population,
        limit=None,
        other=False,
    )
    with snapshot():
        listed, rows = _listed(replace(base, group_by=(state.dimension,)), state, now)
        charted = _charted(base, state, listed, now)
        interval, automatic = charted.query.interval, charted.query.interval_automatic
        failures = replace(
            base,
            selections=(select("failed_requests"),),
            filters=state.filters,
            interval=interval,
            interval_automatic=automatic,
            limit=MOST_ERRORS,
            other=True,
        )
        return Answers(
            listed,
            rows,
            charted,
            _counted(base, state, listed, now),
            engine.run(replace(failures, group_by=(dimensions.BY_NAME["error_type"],)), now),
            engine.run(replace(failures, group_by=(dimensions.BY_NAME["status_code"],)), now),
            rate_at(scope.organization_id, state.period.end),
        )


def _listed(query: Query, state: State, now: datetime) -> tuple[Result, Result]:
    """The sums of every group, and the rows of the table's page: percentiles of groups nobody looks at cost most."""
    by = sorted_by(state.sort)
    everything = _POSITIONS[by.removeprefix("-")] >= len(TOTALS)
    listed = engine.run(replace(query, selections=LISTED) if everything else query, now)
    known = sorted((one for one in listed.series if one.total_requests), key=lambda one: one.labels[0].text)
    position, descending = _POSITIONS[by.removeprefix("-")], by.startswith("-")
    known.sort(key=lambda one: rank(one.total[position], descending=descending))
    page = known[(page_number(state, len(known)) - 1) * PAGE_SIZE :][:PAGE_SIZE]
    shown = tuple(one.labels for one in page)
    return listed, engine.run(replace(query, selections=LISTED, shown=shown, other=False), now)


def sorted_by(sort: str) -> str:
    """The order of the table: as asked, else by requests."""
    return sort if sort.removeprefix("-") in _POSITIONS else "-requests"


def pages(count: int) -> int:
    """Number of pages of a table."""
    return max(1, -(-count // PAGE_SIZE))


def page_number(state: State, count: int) -> int:
    """The page that is shown of that many rows."""
    return min(state.page, pages(count))


def rank(value: float | None, *, descending: bool) -> tuple[bool, float]:
    """Rows without a value come last in both directions."""
    number = 0.0 if value is None else float(value)
    return value is None, -number if descending else number


def _counted(base: Query, state: State, listed: Result, now: datetime) -> Result:
    """The whole range beside the period before it: every group is listed, so their sum is the whole."""
    compare = Compare.PREVIOUS_PERIOD if state.compare is Compare.NONE else state.compare
    query = replace(base, selections=SUMS, compare=compare)
    earlier = replace(query, period=engine.previous_period(query), compare=Compare.NONE)
    summary = replace(listed.summary, total=listed.summary.total[: len(SUMS)])
    return replace(listed, query=query, series=(), summary=summary, previous=engine.run_if_kept(earlier, now))


def _charted(base: Query, state: State, listed: Result, now: datetime) -> Result:
    ranked = sorted(listed.series, key=lambda one: -one.total_requests)
    groups = tuple(one.labels for one in ranked if one.labels[0].kind is not LabelKind.OTHER)
    query = replace(
        base,
        selections=CHARTED,
        group_by=(state.dimension,),
        interval=state.interval,
        interval_automatic=state.automatic,
        shown=groups[: state.top],
        other=len(groups) > state.top,
    )
    charted = engine.run(query, now)
    if state.compare is Compare.NONE:
        return charted
    return replace(charted, previous=engine.run_if_kept(_before(charted.query, state.compare), now))


def _before(query: Query, compare: Compare) -> Query:
    """The same series in the period to compare with, in as many buckets."""
    period = engine.previous_period(replace(query, compare=compare))
    return replace(query, period=period, compare=Compare.NONE, interval_automatic=False)
