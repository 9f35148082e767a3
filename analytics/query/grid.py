"""A grid of groups x buckets, folded from cells, and the values of selections computed from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import MONEY, Ints
from analytics.catalog.measures import Kind, Population, Selection, Unit
from analytics.cells.cells import NO_MAX, NO_MIN, Cells
from analytics.query.values import Value
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Dense

Grid3 = npt.NDArray[np.int64]
BILLABLE: Final = ("computed", "reported", "unpriced")
"""Columns that count the requests with something billable."""


@dataclass(slots=True)
class Grid:
    """Additive columns of shape (groups, buckets); histograms of shape (groups, buckets, slots)."""

    sums: dict[str, npt.NDArray[Any]]
    mins: dict[str, Ints]
    maxs: dict[str, Ints]
    counts: dict[str, tuple[int, Grid3]]
    shape: tuple[int, int]

    def over_time(self) -> "Grid":
        """Buckets added up: shape (groups, 1)."""
        return self._added(1)

    def over_groups(self) -> "Grid":
        """Groups added up: shape (1, buckets)."""
        return self._added(0)

    def overall(self) -> "Grid":
        """Groups and buckets added up: shape (1, 1)."""
        return self._added(1)._added(0)

    def _added(self, axis: int) -> "Grid":
        shape = (self.shape[0], 1) if axis else (1, self.shape[1])
        return Grid(
            {name: values.sum(axis=axis).reshape(shape) for name, values in self.sums.items()},
            {name: values.min(axis=axis).reshape(shape) for name, values in self.mins.items()},
            {name: values.max(axis=axis).reshape(shape) for name, values in self.maxs.items()},
            {name: (low, counts.sum(axis=axis, keepdims=True)) for name, (low, counts) in self.counts.items()},
            shape,
        )

    def merged(self, names: Sequence[str]) -> Dense:
        """The sum of several histograms, rows = groups x buckets."""
        parts = [self.counts[name] for name in names]
        low = min(start for start, _ in parts)
        high = max(start + counts.shape[2] for start, counts in parts)
        total = np.zeros((self.shape[0] * self.shape[1], high - low), dtype=np.int64)
        for start, counts in parts:
            total[:, start - low : start - low + counts.shape[2]] += counts.reshape(len(total), -1)
        return Dense(low, total)


def fold(cells: Cells, groups: Ints, shape: tuple[int, int], sums: Sequence[str], histograms: Sequence[str]) -> Grid:
    """Add up cells into (group, bucket); `groups` names the group of each cell, the bucket is its last key."""
    height = shape[0] * shape[1]
    rows = groups * shape[1] + cells.keys[:, -1] if len(cells) else np.empty(0, dtype=np.int64)
    grid = Grid({}, {}, {}, {}, shape)
    for name in (*sums, *(f"{one}_{part}" for one in histograms for part in ("count", "sum"))):
        total = np.zeros(height, dtype=object if name in MONEY else np.int64)
        if len(cells):
            np.add.at(total, rows, cells.sums[name])
        grid.sums[name] = total.reshape(shape)
    for name in histograms:
        least, most = np.full(height, NO_MIN), np.full(height, NO_MAX)
        if len(cells):
            np.minimum.at(least, rows, cells.mins[name])
            np.maximum.at(most, rows, cells.maxs[name])
        grid.mins[name], grid.maxs[name] = least.reshape(shape), most.reshape(shape)
        low, counts = histogram.dense(cells.records.get(name, []), rows, height)
        grid.counts[name] = (low, counts.reshape(*shape, -1))
    return grid


def values(
    selections: Sequence[Selection], grid: Grid, seconds: Sequence[float], population: Population
) -> list[list[list[Value]]]:
    """[group][bucket][selection]. `seconds`: length of each bucket inside the range."""
    durations = _percentiles(selections, grid, population)
    columns = [durations[one] if one in durations else _column(one, grid, seconds, population) for one in selections]
    groups, buckets = grid.shape
    rows: list[list[Value]] = [list(row) for row in zip(*columns, strict=True)] or [[]] * (groups * buckets)
    return [rows[group * buckets : (group + 1) * buckets] for group in range(groups)]


def _percentiles(selections: Sequence[Selection], grid: Grid, population: Population) -> dict[Selection, list[Value]]:
    """All percentiles of the selections, every histogram merged and ranked once."""
    by_histograms: dict[tuple[str, ...], list[Selection]] = {}
    for one in selections:
        if one.percentile is not None:
            by_histograms.setdefault(one.measure.samples(population), []).append(one)
    answer: dict[Selection, list[Value]] = {}
    for names, wanted in by_histograms.items():
        found = histogram.percentiles(grid.merged(names), [one.percentile or 0 for one in wanted])
        least, most = _extremes(grid, names)
        for number, one in enumerate(wanted):
            answer[one] = _in_milliseconds(np.clip(found[:, number], least, most))
    return answer


def _extremes(grid: Grid, names: Sequence[str]) -> tuple[Ints, Ints]:
    least = np.minimum.reduce([grid.mins[name] for name in names]).reshape(-1)
    return least, np.maximum.reduce([grid.maxs[name] for name in names]).reshape(-1)


def _in_milliseconds(microseconds: npt.NDArray[np.float64]) -> list[Value]:
    """Rounded once, here, to a microsecond, so that every surface shows the same digits; NaN = no value."""
    rounded = np.round(microseconds / 1000, 3)
    return [None if value != value else value for value in rounded.tolist()]  # noqa: PLR0124 - NaN


def samples(selections: Sequence[Selection], grid: Grid, population: Population) -> list[list[list[int]]]:
    """[group][bucket][selection]: how many requests a duration was measured on; 0 for other measures."""
    zeros = np.zeros(grid.shape, dtype=np.int64)
    columns = [
        sum((grid.sums[f"{name}_count"] for name in one.measure.samples(population)), zeros)
        if one.measure.kind is Kind.DURATION
        else zeros
        for one in selections
    ]
    stacked: list[list[list[int]]] = np.stack(columns, axis=2).tolist() if columns else zeros[:, :, None].tolist()
    return stacked


def _column(selection: Selection, grid: Grid, seconds: Sequence[float], population: Population) -> list[Value]:
    measure = selection.measure
    if measure.kind is Kind.DURATION:
        return _durations(selection, grid, population)
    over = _total(grid, measure.over)
    if measure.unit is Unit.USD:
        # Something billable and the amount known of none of it: unknown, which is not zero.
        billable, known = _total(grid, BILLABLE), _total(grid, measure.known)
        over = [None if some and not any_ else cost for cost, some, any_ in zip(over, billable, known, strict=True)]
    if measure.kind is Kind.RATIO or selection.aggregation == "avg":
        under = [*seconds] * grid.shape[0] if measure.under == ("seconds",) else _total(grid, measure.under)
        money = measure.unit is Unit.USD
        return [_ratio(top, bottom, measure.scale, money=money) for top, bottom in zip(over, under, strict=True)]
    return over


def _total(grid: Grid, names: Sequence[str]) -> list[Any]:
    total: list[Any] = _array(grid, names).tolist()
    return total


def _ratio(over: int | None, under: float, scale: int, *, money: bool) -> Value:
    if not under or over is None:
        return None
    if not money:
        return over * scale / under
    whole, rest = divmod(over * scale, int(under))  # picodollars, half-even
    return whole + (2 * rest > under or (2 * rest == under and whole % 2 == 1))


def _durations(selection: Selection, grid: Grid, population: Population) -> list[Value]:
    names = selection.measure.samples(population)
    if selection.aggregation == "avg":
        total = _array(grid, [f"{name}_sum" for name in names])
        count = _array(grid, [f"{name}_count" for name in names])
        return _in_milliseconds(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))
    least, most = _extremes(grid, names)
    return _in_milliseconds(np.where(most == NO_MAX, np.nan, least if selection.aggregation == "min" else most))


def _array(grid: Grid, names: Sequence[str]) -> Ints:
    total: Ints = np.add.reduce([grid.sums[name].reshape(-1) for name in names])
    return total
