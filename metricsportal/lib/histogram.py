"""Mergeable log-bucket histograms of durations in integer microseconds.

Bucket of x: `ceil(log2(x) * 32)`, x >= 1 (base-2 exponential, scale 5). Bucket b holds (g^(b-1), g^b] with
g = 2^(1/32); the reported value is 2*g^b/(g+1), off by at most (g-1)/(g+1) = 1.083 %. Borders are exact integers, so
every engine stores the same bucket numbers. An entry is a slot and its count, slot = bucket + 1 and slot 0 for exact
zeros, so that zeros rank first without a column of their own. Merging is concatenation of entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

SLOTS: Final = 2048
RELATIVE_ERROR: Final = 0.0109
ZERO: Final = -1
_SCALE: Final = 32
_CROWDED: Final = 16
_GAMMA: Final = 2.0 ** (1 / _SCALE)


def _upper_bounds() -> npt.NDArray[np.int64]:
    """floor(2^(b/32)) for b = 0..2016 by five exact integer square roots."""
    bounds = []
    for bucket in range(63 * _SCALE):
        # 2^(b/32) is the 32nd root of 2^b; isqrt of isqrt is exact for floors.
        value = 1 << bucket
        for _ in range(5):
            value = isqrt(value)
        bounds.append(value)
    return np.array(bounds, dtype=np.int64)


UPPER_BOUNDS: Final = _upper_bounds()
_VALUES: Final = np.concatenate(([0.0], 2 * _GAMMA ** np.arange(SLOTS - 1, dtype=float) / (_GAMMA + 1)))


def bucket_of(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Bucket numbers of non-negative microsecond values; exact zeros get -1."""
    buckets = np.searchsorted(UPPER_BOUNDS, values, side="left").astype(np.int16)
    buckets[values == 0] = ZERO
    return buckets


@dataclass(frozen=True, slots=True)
class Entries:
    """Histograms of several owners: `lengths[i]` entries of owner i, one owner after the other."""

    lengths: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The owner of each entry."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def no_entries(owners: int) -> Entries:
    """Histograms without samples."""
    return Entries(*(np.zeros(size, dtype=np.int64) for size in (owners, 0, 0)))


def concatenate(parts: Sequence[Entries]) -> Entries:
    """The owners of all parts, one part after the other."""
    if not parts:
        return no_entries(0)
    return Entries(
        np.concatenate([one.lengths for one in parts]),
        np.concatenate([one.slots for one in parts]),
        np.concatenate([one.counts for one in parts]),
    )


def compact(
    owners: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64] | None,
    height: int,
) -> Entries:
    """One entry per slot, sorted, for owners 0..height-1 of samples (owner, slot, count); no counts: one each.

    Counts are positive.
    """
    low = int(slots.min()) if len(slots) else 0
    width = int(slots.max()) - low + 1 if len(slots) else 0
    if height * width < _CROWDED * len(slots):  # counting into a table of all slots takes less than sorting
        places = owners * width + (slots - low)
        table = np.bincount(places, minlength=height * width) if counts is None else np.zeros(height * width, np.int64)
        if counts is not None:
            np.add.at(table, places, counts)
        used = np.flatnonzero(table)
        return Entries(np.bincount(used // width, minlength=height), used % width + low, table[used])
    keys = owners * SLOTS + slots
    if counts is None:
        keys = np.sort(keys)
    elif (np.diff(keys) < 0).any():
        order = np.argsort(keys)
        keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if counts is None or not len(starts):
        totals = np.diff(np.append(starts, len(keys)))
    else:
        totals = np.add.reduceat(counts, starts)
    distinct = keys[starts]
    return Entries(np.bincount(distinct // SLOTS, minlength=height), distinct % SLOTS, totals)


class Dense(NamedTuple):
    """Counts per row and slot; column 0 is slot `low`, slots outside are empty."""

    low: int
    counts: npt.NDArray[np.int64]


def dense(entries: Entries, rows: npt.NDArray[np.int64], height: int) -> Dense:
    """Add up the owners' entries in the rows named by `rows`, as wide as slots are used."""
    slots = entries.slots
    if not len(slots):
        return Dense(0, np.zeros((height, 1), dtype=np.int64))
    low = int(slots.min())
    width = int(slots.max()) - low + 1
    counts = np.zeros(height * width, dtype=np.int64)
    np.add.at(counts, np.repeat(rows, entries.lengths) * width + (slots - low), entries.counts)
    return Dense(low, counts.reshape(height, width))


def rank(n: int, percentile: int) -> int:
    """Nearest rank k = max(1, ceil(n*p/100)) in integers: the float form gives 8 for n = 100, p = 7."""
    return max(1, -(-n * percentile // 100))


def percentiles_of(merged: Entries, wanted: Sequence[int]) -> npt.NDArray[np.float64]:
    """`percentiles` of compact entries: for many owners with few slots each, which would be wide as rows."""
    running = np.cumsum(merged.counts)
    ends = np.cumsum(merged.lengths)
    sums = np.concatenate(([0], running))
    before = sums[ends - merged.lengths]
    totals = sums[ends] - before
    ranks = np.maximum(1, -(-totals[:, None] * np.array(wanted, dtype=np.int64) // 100))
    places = np.searchsorted(running, before[:, None] + ranks)
    slots = np.concatenate((merged.slots, [0]))[places]
    answer: npt.NDArray[np.float64] = _VALUES[slots]
    answer[totals == 0] = np.nan
    return answer


def percentiles(merged: Dense, wanted: Sequence[int]) -> npt.NDArray[np.float64]:
    """Microseconds at nearest rank, shape (rows, len(wanted)); NaN for rows without samples. Not yet clamped."""
    height, width = merged.counts.shape
    totals = merged.counts.sum(axis=1)
    running = np.cumsum(merged.counts)  # over all rows: one search finds the place of every rank
    before = np.cumsum(totals) - totals
    ranks = np.maximum(1, -(-totals[:, None] * np.array(wanted, dtype=np.int64) // 100))
    places = np.searchsorted(running, before[:, None] + ranks) - np.arange(height)[:, None] * width
    answer: npt.NDArray[np.float64] = _VALUES[np.clip(merged.low + places, 0, SLOTS - 1)]
    answer[totals == 0] = np.nan
    return answer
