"""A grid of groups x buckets, folded from cells, and the values of selections computed from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import MONEY, Ints
from analytics.catalog.measures import Kind, Population, Selection, Unit
from analytics.cells.cells import NO_MAX, added
from analytics.query.matching import Flags
from analytics.query.reader import Read
from analytics.query.values import Value
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Dense, Entries

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
    entries: dict[str, Entries] = field(default_factory=dict)
    """Instead of `counts`, one owner per group and bucket, where there are many groups with few samples each."""

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

    def percentiles(self, names: Sequence[str], wanted: Sequence[int]) -> npt.NDArray[np.float64]:
        """Microseconds at nearest rank of several histograms together, rows = groups x buckets."""
        if not self.entries:
            return histogram.percentiles(self.merged(names), wanted)
        parts = [self.entries[name] for name in names]
        owners, slots, counts = (
            np.concatenate(arrays)
            for arrays in ([one.owners for one in parts], [one.slots for one in parts], [one.counts for one in parts])
        )
        size = self.shape[0] * self.shape[1]
        return histogram.percentiles_of(histogram.compact(owners, slots, counts, size), wanted)

    def merged(self, names: Sequence[str]) -> Dense:
        """The sum of several histograms, rows = groups x buckets."""
        parts = [self.counts[name] for name in names]
        low = min(start for start, _ in parts)
        high = max(start + counts.shape[2] for start, counts in parts)
        total = np.zeros((self.shape[0] * self.shape[1], high - low), dtype=np.int64)
        for start, counts in parts:
            total[:, start - low : start - low + counts.shape[2]] += counts.reshape(len(total), counts.shape[2])
        return Dense(low, total)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a grid holds: groups, buckets (None: all in one), additive columns and histograms.

    With `rest` that group is not read but left over from the whole, its extremes aside. `sparse`: histograms as
    entries, for many rows of few samples; they cannot be added up further.
    """

    height: int
    width: int | None
    sums: Sequence[str]
    histograms: Sequence[str]
    rest: "Rest | None" = None
    sparse: bool = False


def fold(read: Read, groups: Ints, wanted: Wanted) -> Grid:
    """Add up entries into (group, bucket). `groups` numbers the group of each entry, -1 = none."""
    shape, rest = (wanted.height, wanted.width or 1), wanted.rest
    grid, size = Grid({}, {}, {}, {}, shape), shape[0] * shape[1]
    read, groups = _only(read, groups, groups >= 0)
    rows = _rows(read, groups, wanted)
    for name in wanted.histograms:
        grid.mins[name], grid.maxs[name] = (values.reshape(shape) for values in read.extremes(name, rows, size))
    if rest is not None:
        read, groups = _only(read, groups, groups != rest.group)
        rows = _rows(read, groups, wanted)
    for name in (*wanted.sums, *(f"{one}_count" for one in wanted.histograms)):
        total = added(read.column(name), rows, size, money=name in MONEY).reshape(shape)
        if rest is not None:
            total[rest.group] = rest.whole.sums[name][0] - total.sum(axis=0)
        grid.sums[name] = total
    for name in wanted.histograms:
        _add_histogram(grid, name, read.entries(name), rows, wanted)
    return grid


def _add_histogram(grid: Grid, name: str, found: Entries, rows: Ints, wanted: Wanted) -> None:
    size = grid.shape[0] * grid.shape[1]
    if wanted.sparse:
        grid.entries[name] = histogram.compact(np.repeat(rows, found.lengths), found.slots, found.counts, size)
        return
    shown = histogram.dense(found, rows, size)
    if wanted.rest is None:
        grid.counts[name] = _three(shown, grid.shape)
    else:
        grid.counts[name] = _with_rest(shown, wanted.rest, name, grid.shape)


def _only(read: Read, groups: Ints, chosen: Flags) -> tuple[Read, Ints]:
    return (read, groups) if chosen.all() else (read.only(chosen), groups[chosen])


def _rows(read: Read, groups: Ints, wanted: Wanted) -> Ints:
    """Which of the groups x buckets each entry is of."""
    return groups if wanted.width is None else groups * wanted.width + read.bucket


@dataclass(frozen=True, slots=True)
class Rest:
    """The group of everything that is not shown, and the whole of which it is what remains: shape (1, buckets)."""

    group: int
    whole: Grid


def _three(found: Dense, shape: tuple[int, int]) -> tuple[int, Grid3]:
    return found.low, found.counts.reshape(*shape, found.counts.shape[1])


def _with_rest(shown: Dense, rest: Rest, name: str, shape: tuple[int, int]) -> tuple[int, Grid3]:
    """Histograms of all groups: counts are linear, so the rest is the whole minus the others, slot by slot."""
    low, whole = rest.whole.counts[name]
    known = shown.counts.reshape(*shape, shown.counts.shape[1])
    if not known.any():
        shift, known = 0, np.zeros((*shape, 1), dtype=np.int64)
    else:
        shift = shown.low - low
    counts = np.zeros((*shape, whole.shape[2]), dtype=np.int64)
    counts[:, :, shift : shift + known.shape[2]] = known
    counts[rest.group] = whole[0] - counts.sum(axis=0)
    return low, counts


def values(
    selections: Sequence[Selection], grid: Grid, seconds: Sequence[float], population: Population
) -> list[tuple[tuple[Value, ...], ...]]:
    """[group][bucket][selection]. `seconds`: length of each bucket inside the range."""
    groups, _ = grid.shape
    return _by_group(columns_of(selections, grid, [*seconds] * groups, population), grid)


def _by_group(columns: Sequence[Sequence[Any]], grid: Grid) -> list[tuple[tuple[Any, ...], ...]]:
    """[selection][group x bucket] to [group][bucket][selection]."""
    groups, buckets = grid.shape
    rows = tuple(zip(*columns, strict=True)) if columns else ((),) * (groups * buckets)
    return [rows[group * buckets : (group + 1) * buckets] for group in range(groups)]


def columns_of(
    selections: Sequence[Selection], grid: Grid, seconds: Sequence[float], population: Population
) -> list[list[Value]]:
    """[selection][group x bucket]. `seconds`: of each entry."""
    durations = _percentiles(selections, grid, population)
    return [durations[one] if one in durations else _column(one, grid, seconds, population) for one in selections]


def _percentiles(selections: Sequence[Selection], grid: Grid, population: Population) -> dict[Selection, list[Value]]:
    """All percentiles of the selections, every histogram merged and ranked once."""
    by_histograms: dict[tuple[str, ...], list[Selection]] = {}
    for one in selections:
        if one.percentile is not None:
            by_histograms.setdefault(one.measure.samples(population), []).append(one)
    answer: dict[Selection, list[Value]] = {}
    for names, wanted in by_histograms.items():
        found = grid.percentiles(names, [one.percentile or 0 for one in wanted])
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


def samples(selections: Sequence[Selection], grid: Grid, population: Population) -> list[tuple[tuple[int, ...], ...]]:
    """[group][bucket][selection]: how many requests a duration was measured on; 0 for other measures."""
    zeros = [0] * (grid.shape[0] * grid.shape[1])
    durations = {one.measure: one for one in selections if one.measure.kind is Kind.DURATION}
    counts = {
        measure: _array(grid, [f"{name}_count" for name in measure.samples(population)]).tolist()
        for measure in durations
    }
    return _by_group([counts.get(one.measure, zeros) for one in selections], grid)


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
        under = seconds if measure.under == ("seconds",) else _total(grid, measure.under)
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
