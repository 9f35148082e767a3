"""Percentiles of every shape that durations have: within the promised error, however they were cut up and merged."""

from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from metricsportal.lib import histogram
from metricsportal.lib.histogram import RELATIVE_ERROR, Entries

Ints = npt.NDArray[np.int64]
PERCENTILES: Final = (50, 75, 90, 95, 99)
SIZE: Final = 50_000


def _micros(values: npt.NDArray[np.float64]) -> Ints:
    return np.maximum(values, 1).astype(np.int64)


SHAPES: Final[dict[str, Callable[[np.random.Generator], Ints]]] = {
    "uniform": lambda dice: dice.integers(1, 10**7, SIZE),
    "log-normal": lambda dice: _micros(dice.lognormal(14, 1.2, SIZE)),
    "two humps": lambda dice: _micros(np.concatenate([dice.normal(2e5, 2e4, SIZE), dice.normal(9e6, 1e6, SIZE // 9)])),
    "heavy tail": lambda dice: _micros((dice.pareto(1.1, SIZE) + 1) * 1e5),
    "constant": lambda dice: np.full(SIZE, 1_234_567),
    "one value": lambda dice: np.array([987_654]),
    "two values": lambda dice: np.array([3, 4_000_000_000]),
    "a million": lambda dice: _micros(dice.lognormal(13, 2, 10**6)),
}


def encoded(values: Ints) -> Entries:
    slots = histogram.bucket_of(values).astype(np.int64) + 1
    return histogram.compact(np.zeros(len(values), dtype=np.int64), slots, None, 1)


def merged(one: Entries, other: Entries) -> Entries:
    both = histogram.concatenate([one, other])
    return histogram.compact(np.zeros(len(both.slots), dtype=np.int64), both.slots, both.counts, 1)


def tree(parts: list[Entries], dice: Random) -> Entries:
    """Any two of them together, until one is left."""
    parts = list(parts)
    while len(parts) > 1:
        one, other = (parts.pop(dice.randrange(len(parts))) for _ in range(2))
        parts.append(merged(one, other))
    return parts[0]


def percentiles(entries: Entries) -> list[float]:
    dense = histogram.dense(entries, np.zeros(1, dtype=np.int64), 1)
    return [float(one) for one in histogram.percentiles(dense, PERCENTILES)[0]]


def exact(values: Ints) -> list[int]:
    ordered = np.sort(values)
    return [int(ordered[-(-len(ordered) * one // 100) - 1]) for one in PERCENTILES]


@pytest.mark.parametrize("name", SHAPES)
def test_any_tree_of_parts_says_the_same_within_the_error(name: str) -> None:
    values = SHAPES[name](np.random.default_rng(len(name)))
    whole = encoded(values)
    for parts in (1, 2, 24, 720):
        dice = Random(f"{name} {parts}")
        cuts = np.array_split(np.random.default_rng(parts).permutation(values), min(parts, len(values)))
        together = tree([encoded(one) for one in cuts], dice)
        assert together.slots.tolist() == whole.slots.tolist()
        assert together.counts.tolist() == whole.counts.tolist()
    found = percentiles(whole)
    assert found == sorted(found)
    assert found == pytest.approx(exact(values), rel=RELATIVE_ERROR)


def test_what_is_left_after_taking_some_away_is_that_of_the_others() -> None:
    dice = np.random.default_rng(5)
    shown, others = (_micros(dice.lognormal(mean, 1, SIZE)) for mean in (12, 15))
    everything = histogram.dense(encoded(np.concatenate([shown, others])), np.zeros(1, dtype=np.int64), 1)
    part = histogram.dense(encoded(shown), np.zeros(1, dtype=np.int64), 1)
    counts = everything.counts.copy()
    counts[:, part.low - everything.low : part.low - everything.low + part.counts.shape[1]] -= part.counts
    left = histogram.percentiles(histogram.Dense(everything.low, counts), PERCENTILES)[0].tolist()
    assert left == percentiles(encoded(others))


def test_averages_of_hourly_percentiles_would_not_be_within_the_error() -> None:
    """What this is not: one slow hour among 24 is enough to be far off, weighted or not."""
    dice = np.random.default_rng(8)
    hours = [_micros(dice.lognormal(14 + (hour == 12) * 1.6, 0.8, 400 + 40 * hour)) for hour in range(24)]
    together = exact(np.concatenate(hours))[-1]
    each = np.array([exact(hour)[-1] for hour in hours])
    for averaged in (each.mean(), np.average(each, weights=[len(hour) for hour in hours])):
        assert abs(averaged - together) > 5 * RELATIVE_ERROR * together
    found = percentiles(tree([encoded(hour) for hour in hours], Random(1)))[-1]
    assert found == pytest.approx(together, rel=RELATIVE_ERROR)
