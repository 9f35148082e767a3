"""Cells to rows of the aggregate tables and back."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import QuerySet

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, MONEY
from analytics.catalog.grains import AXES, GRAINS, Grain
from analytics.cells.cells import NO_MAX, NO_MIN, Cells
from analytics.cells.frame import NULL

SUMS: Final = (
    *(column.name for column in COLUMNS),
    *(f"{name}_{part}" for name in HISTOGRAM_NAMES for part in ("count", "sum")),
)
_MINS: Final = tuple(f"{name}_min" for name in HISTOGRAM_NAMES)
_MAXS: Final = tuple(f"{name}_max" for name in HISTOGRAM_NAMES)
_RECORDS: Final = tuple(f"{name}_hist" for name in HISTOGRAM_NAMES)
STORED: Final = ("organization_id", "grain", "bucket_start", "metadata_key_id", *AXES, *SUMS, *_MINS, *_MAXS, *_RECORDS)
"""Database columns of an aggregate row, in the order of `rows_of`."""


def _nullable(values: Any, null: int) -> list[int | None]:
    return [None if value == null else value for value in values.tolist()]


def rows_of(
    cells: Cells, *, organization_id: int, grain: Grain, key_id: int | None, bucket_start: datetime
) -> Iterator[tuple[object, ...]]:
    """Rows in the order of `STORED`; the keys of the cells are the axes of the grain."""
    size = len(cells)
    if not size:
        return
    position = {axis: number for number, axis in enumerate(grain.axes)}
    axes = [_nullable(cells.keys[:, position[axis]], NULL) if axis in position else [None] * size for axis in AXES]
    sums = [cells.sums[name].tolist() for name in SUMS]
    least = [_nullable(cells.mins[name], NO_MIN) for name in HISTOGRAM_NAMES]
    most = [_nullable(cells.maxs[name], NO_MAX) for name in HISTOGRAM_NAMES]
    records = [cells.records[name] for name in HISTOGRAM_NAMES]
    head = (organization_id, grain.name, bucket_start, key_id)
    for row in zip(*axes, *sums, *least, *most, *records, strict=True):
        yield (*head, *row)


GrainKey = tuple[str, int | None]
"""Name of a grain and, for grains of metadata, the key."""


def read_grains(rows: QuerySet[Any]) -> dict[GrainKey, Cells]:
    """Stored rows as unmerged cells per grain and metadata key, keyed by the grain's axes."""
    found: dict[GrainKey, list[tuple[Any, ...]]] = {}
    fields = ("grain", "metadata_key_id", *AXES, *SUMS, *_MINS, *_MAXS, *_RECORDS)
    for name, key_id, *row in rows.order_by().values_list(*fields):
        found.setdefault((name, key_id), []).append(tuple(row))
    return {key: _cells(key[0], many) for key, many in found.items()}


def _cells(name: str, rows: list[tuple[Any, ...]]) -> Cells:
    columns = dict(zip((*AXES, *SUMS, *_MINS, *_MAXS, *_RECORDS), zip(*rows, strict=True), strict=True))
    axes = next((grain.axes for grain in GRAINS if grain.name == name), AXES)
    return Cells(
        np.stack([_numbers(columns[axis], NULL) for axis in axes], axis=1),
        {one: np.array(columns[one], dtype=object if one in MONEY else np.int64) for one in SUMS},
        {one: _numbers(columns[f"{one}_min"], NO_MIN) for one in HISTOGRAM_NAMES},
        {one: _numbers(columns[f"{one}_max"], NO_MAX) for one in HISTOGRAM_NAMES},
        {one: [bytes(text) for text in columns[f"{one}_hist"]] for one in HISTOGRAM_NAMES},
    )


def _numbers(column: tuple[int | None, ...], null: int) -> Any:
    return np.array([null if value is None else value for value in column], dtype=np.int64)


def no_cells(grain: Grain) -> Cells:
    """Cells of a grain without rows."""
    return Cells(np.empty((0, len(grain.axes)), dtype=np.int64))
