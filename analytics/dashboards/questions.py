"""The few questions whose answers fill the whole page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from analytics.catalog import dimensions
from analytics.catalog.columns import DURATIONS
from analytics.catalog.measures import Selection, select
from analytics.currency import Rate, rate_at
from analytics.dashboards.listing import SUMS, TOTALS, Listed, listed, sort_of
from analytics.dashboards.state import PERCENTILES, State
from analytics.query import engine
from analytics.query.labels import Labels
from analytics.query.snapshot import snapshot
from analytics.query.values import Compare, Filter, LabelKind, Operator, Query, Result, Series
from ingestion.records import FailureClass
from teams.access import Scope

CHARTED: Final[tuple[Selection, ...]] = (
    *SUMS,
    *(select(name, f"p{percentile}") for name in DURATIONS for percentile in PERCENTILES),
    *(select("reasoning_tokens"), select("latency", "min"), select("latency", "max")),
    *(select("itl_reported"), select("tpot_streaming"), select("tpot_whole")),
)
MOST_ERRORS: Final = 11
CLASSES: Final = tuple(select(f"failed_{one.value}") for one in FailureClass)
"""Failed requests by class, in the order of the classes."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the page is drawn from. `groups` are the shown groups in series order, the rest last.

    `courses`: requests of each row of the table, bucket by bucket. `rate`: of the second currency at the end of the
    range. `by_code`: failed requests by status code, or the sums of `CLASSES`. `by_error_type`: None where the chart
    shows the groups. `narrowed`: to which groups both are narrowed. `everyone`: all requests of the
    organization, where the page is compared with them.
    """

    table: Listed
    courses: Mapping[Labels, tuple[int, ...]]
    charted: Result
    counted: Result
    by_error_type: Result | None
    by_code: Result
    narrowed: Filter | None = None
    rate: Rate | None = None
    everyone: Series | None = None

    @property
    def groups(self) -> tuple[Labels, ...]:
        """Labels of the series."""
        return tuple(one.labels for one in self.charted.series)

    @property
    def results(self) -> tuple[Result, ...]:
        """All that was asked about the range itself."""
        found = (self.table.every, self.table.rows, self.charted, self.counted, self.by_error_type, self.by_code)
        return tuple(one for one in found if one)


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
        grouped, before = replace(base, group_by=(state.dimension,)), _earlier(base, state)
        table = listed(grouped, replace(before, group_by=(state.dimension,)), sort_of(state.sort), state.page, now)
        charted = _charted(base, state, table.every, now)
        narrowed = _narrowed(state, charted)
        filters = (*state.filters, narrowed) if narrowed else state.filters
        failures = replace(charted.query, group_by=(), shown=None, filters=filters)
        return Answers(
            table,
            _courses(charted, table.rows, now),
            charted,
            _counted(base, before, table, now),
            None if state.failures == "view" else _by_kind(failures, "error_type", now),
            engine.run(replace(failures, selections=CLASSES), now)
            if state.codes == "class"
            else _by_kind(failures, "status_code", now),
            narrowed,
            rate_at(scope.organization_id, state.period.end),
            _everyone(charted.query, now) if state.everyone else None,
        )


def _narrowed(state: State, charted: Result) -> Filter | None:
    """The filter that leaves the isolated groups; None where none is, and for what no single filter can say."""
    found = [label for one in charted.series for label in one.labels if label.text in state.isolated]
    kinds = {label.kind for label in found}
    if kinds == {LabelKind.VALUE}:
        return Filter(state.dimension, Operator.IN, tuple(label.text for label in found))
    return Filter(state.dimension, Operator.NULL) if kinds == {LabelKind.NONE} else None


def _everyone(charted: Query, now: datetime) -> Series:
    """The same measures in the same buckets, of every request that the viewer sees."""
    query = replace(charted, group_by=(), shown=None, other=False, filters=(), interval_automatic=False)
    return engine.run(query, now).summary


def _by_kind(failures: Query, name: str, now: datetime) -> Result:
    """Failed requests by error type or status code: the most frequent ones, and the others added up."""
    kinds = (dimensions.BY_NAME[name],)
    asked = replace(failures, group_by=kinds, selections=(select("failed_requests"),), limit=MOST_ERRORS, other=True)
    return engine.run(asked, now)


def _earlier(base: Query, state: State) -> Query:
    """The same question about the period before, or about the one that the page is compared with."""
    compare = Compare.PREVIOUS_PERIOD if state.compare is Compare.NONE else state.compare
    return replace(base, period=engine.previous_period(replace(base, compare=compare)))


def _counted(base: Query, earlier: Query, table: Listed, now: datetime) -> Result:
    """The whole range beside the period before it: every group is listed, so their sum is the whole."""
    summary = replace(table.every.summary, total=table.every.summary.total[: len(SUMS)])
    before = table.before or engine.run_if_kept(replace(earlier, selections=SUMS), now)
    return replace(table.every, query=replace(base, selections=SUMS), series=(), summary=summary, previous=before)


def _courses(charted: Result, rows: Result, now: datetime) -> dict[Labels, tuple[int, ...]]:
    """Requests of the table's rows per bucket: from the charts, and asked for where these do not show the group."""
    known = {one.labels: one.requests for one in charted.series}
    missing = tuple(one.labels for one in rows.series if one.labels not in known)
    if missing:
        query = replace(charted.query, selections=(select("requests"),), shown=missing, other=False)
        known |= {one.labels: one.requests for one in engine.run(query, now).series}
    return {one.labels: known[one.labels] for one in rows.series}


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
