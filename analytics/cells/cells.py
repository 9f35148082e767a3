"""Cells: one row per combination of keys, with additive columns and histograms, in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, HISTOGRAMS, MONEY, Frame, Ints
from analytics.cells.frame import NO_SAMPLE
from analytics.cells.packing import Numbers
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Entries

NO_MIN: Final = 2**63 - 1
NO_MAX: Final = -1
_BILLION: Final = 10**9
_SAFE: Final = 2**62
_SPARSE: Final = 4


@dataclass(slots=True)
class Cells:
    """`keys` has one row per cell and one column per key; every other column has one entry per cell.

    Durations of a histogram h: sums["h_count"], sums["h_sum"] (microseconds), mins[h], maxs[h], entries[h].
    """

    keys: Ints
    sums: dict[str, Numbers] = field(default_factory=dict)
    mins: dict[str, Ints] = field(default_factory=dict)
    maxs: dict[str, Ints] = field(default_factory=dict)
    entries: dict[str, Entries] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)


def no_cells(width: int) -> Cells:
    """No cells, with that many keys."""
    return _added_up({}, {}, np.empty((0, width), dtype=np.int64), np.empty(0, dtype=np.int64))


def distinct(keys: Ints) -> tuple[Ints, Ints]:
    """The different rows in ascending order, and the place among them of every row."""
    if not len(keys):
        return keys, np.empty(0, dtype=np.int64)
    if not keys.shape[1]:
        return keys[:1], np.zeros(len(keys), dtype=np.int64)
    least = keys.min(axis=0)
    spans = [int(span) for span in keys.max(axis=0) - least + 1]
    size = float(np.prod([float(span) for span in spans]))
    if size < _SAFE:
        mixed = np.zeros(len(keys), dtype=np.int64)
        for place, span in enumerate(spans):
            mixed = mixed * span + (keys[:, place] - least[place])
        if size > _SPARSE * len(keys):
            _, first, places = np.unique(mixed, return_index=True, return_inverse=True)
            return keys[first], places
        examples = np.full(int(size), -1)  # most combinations occur: a table of them takes less than sorting
        examples[mixed] = np.arange(len(keys))
        occurring = examples >= 0
        return keys[examples[occurring]], (np.cumsum(occurring) - 1)[mixed]
    rows, places = np.unique(keys, axis=0, return_inverse=True)
    return rows, places.reshape(-1)


def added(values: Numbers, places: Ints, size: int, *, money: bool) -> Numbers:
    """Sums per place, as Python integers where 64 bits might not hold them: no sum can wrap."""
    if values.dtype != object and (not money or not len(values) or int(values.max()) < _SAFE // len(values)):
        total = np.zeros(size, dtype=np.int64)
        np.add.at(total, places, values)
        return total
    high, low = (np.zeros(size, dtype=np.int64) for _ in range(2))
    np.add.at(high, places, (values // _BILLION).astype(np.int64))
    np.add.at(low, places, (values % _BILLION).astype(np.int64))
    whole: Numbers = high.astype(object) * _BILLION + low
    return whole


def least_of(values: Ints, places: Ints, size: int) -> Ints:
    """Minimum per place."""
    answer = np.full(size, NO_MIN)
    np.minimum.at(answer, places, values)
    return answer


def most_of(values: Ints, places: Ints, size: int) -> Ints:
    """Maximum per place."""
    answer = np.full(size, NO_MAX)
    np.maximum.at(answer, places, values)
    return answer


def columns_of_facts(frame: Frame) -> dict[str, Ints]:
    """Every additive column, one value per fact."""
    return {column.name: column.of_facts(frame) for column in COLUMNS}


Measured = Mapping[str, tuple[npt.NDArray[np.bool_], Ints, Ints]]
"""By histogram: which facts are samples of it, and those samples' microseconds and slots."""


def samples_of_facts(frame: Frame) -> Measured:
    """The samples of every histogram."""
    answer = {}
    for one in HISTOGRAMS:
        slots = frame[f"{one.duration}_bucket"] + 1
        measured = (slots > NO_SAMPLE + 1) & (frame["failed"] == int(one.failed))
        answer[one.name] = (measured, frame[f"{one.duration}_us"][measured], slots[measured])
    return answer


def from_facts(columns: Mapping[str, Ints], samples: Measured, keys: Ints) -> Cells:
    """Add up facts whose combination of keys is equal. `keys`: one row per fact."""
    rows, places = distinct(keys)
    return _added_up(columns, samples, rows, places)


def _added_up(columns: Mapping[str, Ints], samples: Measured, rows: Ints, places: Ints) -> Cells:
    size = len(rows)
    cells = Cells(rows)
    for column in COLUMNS:
        values = columns.get(column.name, np.empty(0, dtype=np.int64))
        cells.sums[column.name] = added(values, places, size, money=column.money)
    nothing = np.zeros(len(places), dtype=bool), *(np.empty(0, dtype=np.int64) for _ in range(2))
    for name in HISTOGRAM_NAMES:
        measured, durations, slots = samples.get(name, nothing)
        owners = places[measured]
        cells.sums[f"{name}_count"] = np.bincount(owners, minlength=size)
        cells.sums[f"{name}_sum"] = added(durations, owners, size, money=False)
        cells.mins[name] = least_of(durations, owners, size)
        cells.maxs[name] = most_of(durations, owners, size)
        cells.entries[name] = histogram.compact(owners, slots, None, size)
    return cells


def concatenate(parts: Sequence[Cells], width: int) -> Cells:
    """Cells of several sources one after the other; equal keys may occur more than once. `width`: number of keys."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_cells(width)
    first = filled[0]
    return Cells(
        np.concatenate([part.keys for part in filled]),
        {name: np.concatenate([part.sums[name] for part in filled]) for name in first.sums},
        {name: np.concatenate([part.mins[name] for part in filled]) for name in first.mins},
        {name: np.concatenate([part.maxs[name] for part in filled]) for name in first.maxs},
        {name: histogram.concatenate([part.entries[name] for part in filled]) for name in first.entries},
    )


def merge(cells: Cells, keys: Ints) -> Cells:
    """Add up cells whose new keys are equal; histograms come out compact."""
    rows, places = distinct(keys)
    size = len(rows)
    merged = Cells(rows)
    for name, values in cells.sums.items():
        merged.sums[name] = added(values, places, size, money=name in MONEY)
    for name, found in cells.entries.items():
        merged.mins[name] = least_of(cells.mins[name], places, size)
        merged.maxs[name] = most_of(cells.maxs[name], places, size)
        owners = np.repeat(places, found.lengths)
        merged.entries[name] = histogram.compact(owners, found.slots, found.counts, size)
    return merged
