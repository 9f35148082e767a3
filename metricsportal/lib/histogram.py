"""Mergeable log-bucket histograms of durations in integer microseconds.

Bucket of x: `ceil(log2(x) * 32)`, x >= 1 (base-2 exponential, scale 5). Bucket b holds (g^(b-1), g^b] with
g = 2^(1/32); the reported value is 2*g^b/(g+1), off by at most (g-1)/(g+1) = 1.083 %. Borders are exact integers, so
every engine stores the same bucket numbers. A record is `<u2 slot, u4 count>`, slot = bucket + 1 and slot 0 for exact
zeros, so that zeros rank first without a column of their own. Merging is concatenation.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

SLOTS: Final = 2048
RELATIVE_ERROR: Final = 0.0109
ZERO: Final = -1
RECORD: Final = np.dtype([("slot", "<u2"), ("count", "<u4")])
_SCALE: Final = 32
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


def encode(buckets: npt.NDArray[np.integer]) -> bytes:
    """One compact record string of bucket numbers: one record per bucket, sorted."""
    slots, counts = np.unique(buckets.astype(np.int64) + 1, return_counts=True)
    return records(slots, counts)


def records(slots: npt.NDArray[np.integer], counts: npt.NDArray[np.integer]) -> bytes:
    """Record string of slots and their counts."""
    table = np.empty(len(slots), dtype=RECORD)
    table["slot"], table["count"] = slots, counts
    return table.tobytes()


class Dense(NamedTuple):
    """Counts per row and slot; column 0 is slot `low`, slots outside are empty."""

    low: int
    counts: npt.NDArray[np.int64]


def dense(strings: Sequence[bytes], rows: npt.NDArray[np.int64] | None = None, height: int | None = None) -> Dense:
    """Merge record strings into the rows named by `rows` (default: one row per string), as wide as slots are used."""
    targets = np.arange(len(strings)) if rows is None else rows
    height = len(strings) if height is None else height
    table, owners = _records_of(strings)
    if not len(table):
        return Dense(0, np.zeros((height, 1), dtype=np.int64))
    low = int(table["slot"].min())
    width = int(table["slot"].max()) - low + 1
    flat = targets[owners] * width + (table["slot"].astype(np.int64) - low)
    # bincount adds in doubles: exact for counts below 2^53, never used for money.
    counts = np.bincount(flat, weights=table["count"], minlength=height * width)
    return Dense(low, counts.astype(np.int64).reshape(height, width))


def _records_of(strings: Sequence[bytes]) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int64]]:
    """All records of the strings, and the index of the string that each belongs to."""
    lengths = np.fromiter((len(s) // RECORD.itemsize for s in strings), dtype=np.int64, count=len(strings))
    return np.frombuffer(b"".join(strings), dtype=RECORD), np.repeat(np.arange(len(strings)), lengths)


def pack(
    owners: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64] | None,
    height: int,
) -> list[bytes]:
    """One compact record string per owner 0..height-1 of samples (owner, slot, count); no counts: one each."""
    keys, inverse = np.unique(owners * SLOTS + slots, return_inverse=True)
    totals = np.bincount(inverse, weights=counts, minlength=len(keys))
    packed = records(keys % SLOTS, totals.astype(np.int64))
    borders = np.searchsorted(keys // SLOTS, np.arange(height + 1)) * RECORD.itemsize
    return [packed[borders[row] : borders[row + 1]] for row in range(height)]


def compact(strings: Sequence[bytes], rows: npt.NDArray[np.int64], height: int) -> list[bytes]:
    """Strings merged into one per row, one record per slot, sorted."""
    table, owners = _records_of(strings)
    return pack(rows[owners], table["slot"].astype(np.int64), table["count"].astype(np.int64), height)


def rank(n: int, percentile: int) -> int:
    """Nearest rank k = max(1, ceil(n*p/100)) in integers: the float form gives 8 for n = 100, p = 7."""
    return max(1, -(-n * percentile // 100))


def percentiles(merged: Dense, wanted: Sequence[int]) -> npt.NDArray[np.float64]:
    """Microseconds at nearest rank, shape (rows, len(wanted)); NaN for rows without samples. Not yet clamped."""
    running = np.cumsum(merged.counts, axis=1)
    totals = running[:, -1]
    answer = np.empty((len(running), len(wanted)))
    for column, percentile in enumerate(wanted):
        ranks = np.maximum(1, -(-totals * percentile // 100))
        slots = merged.low + (running < ranks[:, None]).sum(axis=1)
        answer[:, column] = _VALUES[np.minimum(slots, SLOTS - 1)]
    answer[totals == 0] = np.nan
    return answer
