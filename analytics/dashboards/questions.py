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
MOST_ERRORS: Final = 11


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the page is drawn from. `groups` are the shown groups in series order, the rest last.

    `rate`: of the second currency at the end of the range.
    """

    listed: Result
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

    The table's groups are read first, over the whole range; its largest ones are the series of every chart.
    """
    base = Query(
        scope=scope,
        period=state.period,
        selections=LISTED,
        filters=state.filters,
        population=state.population,
        limit=None,
        other=False,
    )
    with snapshot():
        listed = engine.run(replace(base, group_by=(state.dimension,)), now)
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
            charted,
            _counted(base, state, listed, now),
            engine.run(replace(failures, group_by=(dimensions.BY_NAME["error_type"],)), now),
            engine.run(replace(failures, group_by=(dimensions.BY_NAME["status_code"],)), now),
            rate_at(scope.organization_id, state.period.end),
        )


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
    return engine.run(query, now)
