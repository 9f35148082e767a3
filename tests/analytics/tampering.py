"""Wrong numbers in stored aggregates: each changes the first cell of one row."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analytics.catalog.grains import BY_NAME
from analytics.cells.cells import Cells, concatenate
from analytics.cells.storage import STORED, cells_of, row_of
from analytics.models import DayAggregate, HourAggregate
from metricsportal.lib.histogram import no_entries

Wrong = Callable[[Cells, tuple[str, ...]], Cells]


def tamper(row: HourAggregate | DayAggregate, wrong: Wrong) -> None:
    """Store other cells in the row, with counters that fit them."""
    grain = BY_NAME[row.grain]
    cells = wrong(cells_of(grain, bytes(row.head), bytes(row.records)), grain.axes)
    stored = row_of(
        cells,
        organization_id=row.organization_id,
        grain=grain,
        key_id=row.metadata_key_id,
        bucket_start=row.bucket_start,
    )
    for name, value in zip(STORED, stored, strict=True):
        setattr(row, name, value)
    row.save()


def plus(name: str, amount: int = 1) -> Wrong:
    """One sum is off."""

    def wrong(cells: Cells, axes: tuple[str, ...]) -> Cells:
        values = cells.sums[name].astype(object)
        values[0] += amount
        cells.sums[name] = values if abs(values[0]) >= 2**62 else values.astype(np.int64)
        return cells

    return wrong


def other(axis: str) -> Wrong:
    """The cell is somebody else's."""

    def wrong(cells: Cells, axes: tuple[str, ...]) -> Cells:
        cells.keys[0, axes.index(axis)] = 10**6
        return cells

    return wrong


def double(cells: Cells, axes: tuple[str, ...]) -> Cells:
    """Every cell is there twice."""
    return concatenate([cells, cells], len(axes))


def no_samples(cells: Cells, axes: tuple[str, ...]) -> Cells:
    """The histograms are gone."""
    return replace(cells, entries={name: no_entries(len(cells)) for name in cells.entries})


def faster(cells: Cells, axes: tuple[str, ...]) -> Cells:
    """The smallest latency is a microsecond."""
    for name in cells.mins:
        cells.mins[name][0] = 1
    return cells
