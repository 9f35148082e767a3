"""When traffic of a virtual model moved from one target model to another, seen in the traffic itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import Ints

WINDOW: Final = 6  # buckets on each side
LEAST_REQUESTS: Final = 30  # of each side: fewer say little about shares
LEAST_SHARE: Final = 0.2
"""Of the traffic that must have moved."""
CERTAIN: Final = 3.0
"""So many times as much as shares of so few requests differ by chance."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Before the bucket `place` traffic went elsewhere. `moved`: the part of it that did; shares by target."""

    place: int
    moved: float
    before: dict[str, float]
    after: dict[str, float]


def shifts(requests: Mapping[str, Sequence[int]]) -> list[Shift]:
    """Borders between buckets with the largest moves around them, newest first. `requests`: by target, per bucket.

    What moved is half the sum of the differences of all shares (the total variation distance): with 0.2 a fifth of the
    requests is answered by another model. By chance a share p of n and m requests differs by sqrt(p (1 - p) (1/n +
    1/m)), the standard error of a difference of two proportions. Of borders nearer to each other than the window the
    one with most counts.
    """
    if not requests:
        return []
    names, counts = list(requests), np.array(list(requests.values()), dtype=np.int64)
    before, after = _sides(counts)
    totals = before.sum(axis=0), after.sum(axis=0)
    enough = (totals[0] >= LEAST_REQUESTS) & (totals[1] >= LEAST_REQUESTS)
    shares = [side / np.maximum(total, 1) for side, total in zip((before, after), totals, strict=True)]
    moved = np.abs(shares[1] - shares[0]).sum(axis=0) / 2
    moved = np.where(enough & (moved > CERTAIN * _by_chance(before + after, *totals)), moved, 0.0)
    found: list[int] = []
    for place in np.argsort(-moved, kind="stable").tolist():
        if moved[place] < LEAST_SHARE:
            break
        if all(abs(place - other) >= WINDOW for other in found):
            found.append(place)
    return [
        Shift(place, float(moved[place]), *(dict(zip(names, side[:, place].tolist(), strict=True)) for side in shares))
        for place in sorted(found, reverse=True)
    ]


def _by_chance(together: Ints, before: Ints, after: Ints) -> npt.NDArray[np.float64]:
    """Of each border, what moves when nothing changes."""
    pooled = together / np.maximum(before + after, 1)
    few = 1 / np.maximum(before, 1) + 1 / np.maximum(after, 1)
    answer: npt.NDArray[np.float64] = np.sqrt(pooled * (1 - pooled) * few).sum(axis=0) / 2
    return answer


def _sides(counts: Ints) -> tuple[Ints, Ints]:
    """Requests of the buckets before each border and behind it, by target; the first border is before all buckets."""
    added = np.concatenate((np.zeros((len(counts), 1), dtype=np.int64), counts.cumsum(axis=1)), axis=1)
    borders = np.arange(counts.shape[1])
    first, last = np.maximum(borders - WINDOW, 0), np.minimum(borders + WINDOW, counts.shape[1])
    return added[:, borders] - added[:, first], added[:, last] - added[:, borders]
