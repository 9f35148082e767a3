"""Cells to rows of the aggregate tables and back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, MONEY
from analytics.catalog.grains import AXES, Grain
from analytics.cells.cells import NO_MAX, NO_MIN, Cells
from analytics.cells.frame import NULL
from analytics.models.aggregates import Aggregate

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


def read_cells(rows: QuerySet[Any], axes: Sequence[str]) -> Cells:
    """Stored rows as cells keyed by the axes, unmerged."""
    fields = [
        *(Coalesce(F(axis), Value(NULL), output_field=BigIntegerField()) for axis in axes),
        *SUMS,
        *(Coalesce(F(name), Value(NO_MIN), output_field=BigIntegerField()) for name in _MINS),
        *(Coalesce(F(name), Value(NO_MAX), output_field=BigIntegerField()) for name in _MAXS),
        *_RECORDS,
    ]
    found = list(rows.order_by().values_list(*fields))
    if not found:
        return Cells(np.empty((0, len(axes)), dtype=np.int64))
    columns = list(zip(*found, strict=True))
    width = len(axes)
    keys = np.array(columns[:width], dtype=np.int64).T.reshape(len(found), width)
    cells = Cells(keys)
    for name, values in zip(SUMS, columns[width:], strict=False):
        cells.sums[name] = np.array(values, dtype=object if name in MONEY else np.int64)
    offset = width + len(SUMS)
    for number, name in enumerate(HISTOGRAM_NAMES):
        cells.mins[name] = np.array(columns[offset + number], dtype=np.int64)
        cells.maxs[name] = np.array(columns[offset + len(_MINS) + number], dtype=np.int64)
        cells.records[name] = [bytes(text) for text in columns[offset + len(_MINS) + len(_MAXS) + number]]
    return cells


AggregateTable = type[Aggregate]
