"""One question in, one complete answer out: plan, read, name the groups, rank, add up the rest, compute."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from analytics.models import VerificationRun
from analytics.query import planner
from analytics.query.grid import BILLABLE, Grid, Rest, Wanted, fold, samples, values
from analytics.query.keeping import coarser_interval, in_kept_buckets
from analytics.query.labels import Labels, labels_of
from analytics.query.ranking import group_numbers, is_rest, ranked, rest
from analytics.query.reader import Shape, read
from analytics.query.shapes import COVERAGE, shape_of
from analytics.query.snapshot import once, snapshot
from analytics.query.timeline import bucket_list, seconds_of
from analytics.query.values import (
    Bucket,
    Compare,
    Meta,
    NotKeptError,
    Query,
    RefusedQueryError,
    Result,
    Series,
    Value,
)
from ingestion.pricing import loading
from metricsportal.lib import border
from metricsportal.lib.localtime import zone
from metricsportal.lib.timerange import TimeRange


@dataclass(frozen=True, slots=True)
class _Answer:
    """One period read and folded: groups in order (the rest last when asked for), and how it was read."""

    groups: tuple[Labels, ...]
    grid: Grid
    left_out: int
    plan: planner.Plan
    rows: int

    @property
    def has_rest(self) -> bool:
        """Whether the last group is what is not shown."""
        return is_rest({*self.groups[-1:]})


def run(query: Query, now: datetime) -> Result:
    """The complete answer. Raises RefusedQueryError instead of cutting it short."""
    started = time.monotonic()
    with border.within(query.scope.organization_id), snapshot():
        asked, answer = _settled(query, now)
        result = _result(asked, answer, now, started)
        if query.compare is Compare.NONE:
            return result
        earlier = replace(asked, period=previous_period(asked), compare=Compare.NONE)
        # Groups that only the earlier period has are added up behind the shown ones: its summary is whole too.
        fixed = answer.groups if is_rest({*answer.groups}) else (*answer.groups, rest(query))
        before = _result(earlier, _answer(earlier, now, fixed if query.group_by else answer.groups), now, started)
        return replace(result, previous=replace(before, series=before.series[: len(result.series)]))


def run_if_kept(query: Query, now: datetime) -> Result | None:
    """The same, or None when it needs rows that were removed."""
    try:
        return run(query, now)
    except NotKeptError:
        return None


def previous_period(query: Query) -> TimeRange:
    """The period to compare with: directly before, or the same local time a month earlier.

    Where only whole hours or days are kept of it, it begins and ends with one.
    """
    return in_kept_buckets(_previous_period(query), query.scope)


def _previous_period(query: Query) -> TimeRange:
    if query.compare is not Compare.PREVIOUS_CALENDAR:
        return query.period.previous()
    start = _month_earlier(query.period.start, query.scope.zone)
    end = _month_earlier(query.period.end, query.scope.zone)
    return TimeRange(start, min(max(start, end), query.period.start))


def _month_earlier(instant: datetime, zone_name: str) -> datetime:
    local = instant.astimezone(zone(zone_name))
    year, month = (local.year, local.month - 1) if local.month > 1 else (local.year - 1, 12)
    for day in range(local.day, 0, -1):
        try:
            return local.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def _settled(query: Query, now: datetime) -> tuple[Query, _Answer]:
    """Answer; an automatic interval becomes coarser when what the finer one needs is over budget or not kept."""
    while True:
        try:
            return query, _answer(query, now)
        except RefusedQueryError as error:
            coarser = coarser_interval(query, error)
            if coarser is None:
                raise
        query = replace(query, interval=coarser)


def _answer(query: Query, now: datetime, groups: tuple[Labels, ...] | None = None) -> _Answer:
    """Read a period. `groups` fixes which are shown (for comparisons), None ranks them by the query's order."""
    plan = planner.plan(query)
    shape = shape_of(query, now)
    found = read(query, plan, shape)
    labels, places = labels_of(shape, found, query.scope.organization_id)
    if groups is None and query.shown is not None:
        groups = (*query.shown, rest(query))
    elif groups is None:
        order = ranked(query, found, labels, places)
        limit = len(order) if query.limit is None else query.limit
        groups = (*order[:limit], rest(query)) if order[limit:] else tuple(order)
    left_out = len({*labels} - {*groups})
    numbers = group_numbers(labels, groups)[places] if labels else places
    width = None if shape.starts is None else len(shape.starts)
    over = _rest(query, plan, shape, groups) if left_out else None
    grid = fold(found, numbers, Wanted(max(len(groups), 1), width, shape.sums, shape.histograms, over))
    return _Answer(groups, grid, left_out, plan, found.rows)


def _rest(query: Query, plan: planner.Plan, shape: Shape, groups: tuple[Labels, ...]) -> Rest | None:
    """What is not shown as the difference to the whole, where fewer cells tell the whole."""
    if not shape.histograms or not is_rest({groups[-1]}):
        return None
    ungrouped = replace(query, group_by=(), shown=None)
    whole_plan = planner.plan(ungrouped)
    same = (whole_plan.grain, whole_plan.quarters) == (plan.grain, plan.quarters)
    if same or whole_plan.stale_hours != plan.stale_hours:
        return None
    whole_shape = replace(shape, dimensions=())
    found = read(ungrouped, whole_plan, whole_shape)
    everything = np.zeros(len(found.bucket), dtype=np.int64)
    width = None if shape.starts is None else len(shape.starts)
    return Rest(len(groups) - 1, fold(found, everything, Wanted(1, width, shape.sums, shape.histograms)))


def _result(query: Query, answer: _Answer, now: datetime, started: float) -> Result:
    shown = bucket_list(query, now)
    by_bucket = [seconds_of(bucket, now) for bucket in shown]
    whole = [seconds_of(Bucket(query.period.start, query.period.end), now)]
    totals = answer.grid.over_time()
    lines = zip(
        answer.groups,
        _lines(query, answer.grid, by_bucket),
        _lines(query, totals, whole),
        strict=False,
    )
    series = [_series(labels, many, one) for labels, many, one in lines]
    # The rest is always folded, so that the summary is whole, and shown when asked for and not empty.
    if answer.has_rest and not (query.other and series[-1].total_requests):
        series.pop()
    overall = answer.grid.overall()
    summary = _series((), _lines(query, answer.grid.over_groups(), by_bucket)[0], _lines(query, overall, whole)[0])
    if not answer.groups and query.group_by:
        series = []
    return Result(query, shown, tuple(series), summary, _meta(query, answer, overall, now, started))


_Line = tuple[tuple[tuple[Value, ...], ...], tuple[tuple[int, ...], ...], list[int]]
"""Of a group: values and samples [bucket][selection], and requests of each bucket."""


def _lines(query: Query, grid: Grid, seconds: Sequence[float]) -> list[_Line]:
    found = values(query.selections, grid, seconds, query.population)
    counted = samples(query.selections, grid, query.population)
    requests = grid.sums["requests"].tolist()
    return list(zip(found, counted, requests, strict=True))


def _series(labels: Labels, many: _Line, one: _Line) -> Series:
    return Series(
        labels,
        values=many[0],
        total=one[0][0],
        requests=tuple(many[2]),
        total_requests=one[2][0],
        samples=many[1],
        total_samples=one[1][0],
    )


def _meta(query: Query, answer: _Answer, overall: Grid, now: datetime, started: float) -> Meta:
    sums = {name: int(overall.sums[name][0, 0]) for name in COVERAGE}
    billable = sum(sums[name] for name in BILLABLE)
    return Meta(
        zone=query.scope.zone,
        interval=query.interval,
        fresh_until=now,
        source=answer.plan.source,
        rows_read=answer.rows,
        elapsed_ms=round((time.monotonic() - started) * 1000),
        priced_share=(billable - sums["unpriced"]) / billable if billable else None,
        reported_share=sums["reported"] / billable if billable else None,
        unpriced_requests=sums["unpriced"],
        unpriced_tokens=sums["unpriced_tokens"],
        price_book_version=_price_book_version(query.scope.organization_id),
        groups_shown=len(answer.groups) - answer.has_rest,
        groups_other=answer.left_out,
        stale_hours=answer.plan.stale_hours,
        last_verified=_last_verified(query.scope.organization_id),
    )


_price_book_version = once(loading.version)


@once
def _last_verified(organization_id: int) -> datetime | None:
    """When all aggregates were last found equal to the facts."""
    clean = VerificationRun.objects.filter(organization_id=organization_id, differences=0).first()
    return clean.finished_at if clean else None
