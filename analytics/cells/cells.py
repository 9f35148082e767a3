"""Cells: one row per combination of keys, with additive columns and histogram records, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import COLUMNS, HISTOGRAMS, MONEY, Frame, Histogram, Ints
from analytics.cells.frame import NO_SAMPLE
from metricsportal.lib import histogram

NO_MIN: Final = 2**63 - 1
NO_MAX: Final = -1
_SPLIT: Final = 10**9
Sums = npt.NDArray[Any]
"""int64 for counts, Python integers (object) for money, which may pass 2^63 picodollars."""


@dataclass(slots=True)
class Cells:
    """`keys` has one row per cell and one column per key; every other column has one entry per cell.

    Durations of a histogram h: sums["h_count"], sums["h_sum"] (microseconds), mins[h], maxs[h], records[h].
    """

    keys: Ints
    sums: dict[str, Sums] = field(default_factory=dict)
    mins: dict[str, Ints] = field(default_factory=dict)
    maxs: dict[str, Ints] = field(default_factory=dict)
    records: dict[str, list[bytes]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def subset(self, wanted: npt.NDArray[np.bool_]) -> "Cells":
        """The cells for which `wanted` is true."""
        return Cells(
            self.keys[wanted],
            {name: values[wanted] for name, values in self.sums.items()},
            {name: values[wanted] for name, values in self.mins.items()},
            {name: values[wanted] for name, values in self.maxs.items()},
            {
                name: [text for text, use in zip(texts, wanted, strict=True) if use]
                for name, texts in self.records.items()
            },
        )


def _groups(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Order that sorts equal keys together, the start of each run in it, and the run of each sorted row."""
    order = np.lexsort(keys.T[::-1]) if keys.shape[1] else np.arange(len(keys))
    ordered = keys[order]
    changes = np.ones(len(keys), dtype=bool)
    changes[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, np.flatnonzero(changes), np.cumsum(changes) - 1


def _add_money(values: Sums, starts: Ints) -> Sums:
    """Sums per run as Python integers: two halves are added in 64 bits, so that no sum can wrap."""
    if values.dtype == object:
        total: Sums = np.add.reduceat(values, starts)
        return total
    high = np.add.reduceat(values // _SPLIT, starts).astype(object)
    whole: Sums = high * _SPLIT + np.add.reduceat(values % _SPLIT, starts).astype(object)
    return whole


def from_facts(frame: Frame, keys: Ints) -> Cells:
    """Add up facts whose combination of keys is equal. `keys`: one row per fact."""
    if not len(keys):
        return Cells(keys)
    order, starts, run = _groups(keys)
    cells = Cells(keys[order][starts])
    for column in COLUMNS:
        values = column.of_facts(frame)[order]
        cells.sums[column.name] = _add_money(values, starts) if column.money else np.add.reduceat(values, starts)
    for one in HISTOGRAMS:
        _add_durations(cells, one, {name: values[order] for name, values in _of_histogram(frame, one).items()}, run)
    return cells


def _of_histogram(frame: Frame, one: Histogram) -> dict[str, Ints]:
    return {"us": frame[f"{one.duration}_us"], "bucket": frame[f"{one.duration}_bucket"], "failed": frame["failed"]}


def _add_durations(cells: Cells, one: Histogram, columns: dict[str, Ints], run: Ints) -> None:
    measured = (columns["bucket"] != NO_SAMPLE) & (columns["failed"] == int(one.failed))
    owners, durations = run[measured], columns["us"][measured]
    count, total = np.zeros(len(cells), dtype=np.int64), np.zeros(len(cells), dtype=np.int64)
    least, most = np.full(len(cells), NO_MIN), np.full(len(cells), NO_MAX)
    np.add.at(count, owners, 1)
    np.add.at(total, owners, durations)
    np.minimum.at(least, owners, durations)
    np.maximum.at(most, owners, durations)
    cells.sums[f"{one.name}_count"], cells.sums[f"{one.name}_sum"] = count, total
    cells.mins[one.name], cells.maxs[one.name] = least, most
    cells.records[one.name] = histogram.pack(owners, columns["bucket"][measured] + 1, None, len(cells))


def concatenate(parts: Sequence[Cells], width: int) -> Cells:
    """Cells of several sources one after the other; equal keys may occur more than once. `width`: number of keys."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return Cells(np.empty((0, width), dtype=np.int64))
    first = filled[0]
    return Cells(
        np.concatenate([part.keys for part in filled]),
        {name: np.concatenate([part.sums[name] for part in filled]) for name in first.sums},
        {name: np.concatenate([part.mins[name] for part in filled]) for name in first.mins},
        {name: np.concatenate([part.maxs[name] for part in filled]) for name in first.maxs},
        {name: [text for part in filled for text in part.records[name]] for name in first.records},
    )


def merge(cells: Cells, keys: Ints) -> Cells:
    """Add up cells whose new keys are equal; histogram records come out compact."""
    if not len(cells):
        return Cells(keys)
    order, starts, run = _groups(keys)
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = run
    merged = Cells(keys[order][starts])
    for name, values in cells.sums.items():
        merged.sums[name] = (_add_money if name in MONEY else np.add.reduceat)(values[order], starts)
    for name in cells.records:
        merged.mins[name] = np.minimum.reduceat(cells.mins[name][order], starts)
        merged.maxs[name] = np.maximum.reduceat(cells.maxs[name][order], starts)
        merged.records[name] = histogram.compact(cells.records[name], rows, len(merged))
    return merged
