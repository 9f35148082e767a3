"""Cells to rows of the aggregate tables and back: one row per grain and bucket, all of its cells in two byte strings.

`head` holds keys, sums, extremes and the number of histogram entries of every cell, packed; `records` the entries: cell
by cell, within a cell in the order of `HISTOGRAMS`, each `<u2 slot, uN count>`, N as wide as the largest count needs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, Ints
from analytics.catalog.grains import BY_NAME, REQUESTS, Grain
from analytics.cells.cells import NO_MAX, NO_MIN, Cells, concatenate, no_cells
from analytics.cells.packing import Numbers, Packed, column, pack
from ingestion.writer.bulk import read_rows
from metricsportal.lib import histogram
from metricsportal.lib.histogram import Entries

SUMS: Final = (
    *(column.name for column in COLUMNS),
    *(f"{name}_{part}" for name in HISTOGRAM_NAMES for part in ("count", "sum")),
)
STORED: Final = (
    "organization_id",
    "grain",
    "metadata_key_id",
    "bucket_start",
    "cells",
    "requests",
    "head",
    "records",
)
"""Database columns of an aggregate row, in the order of `row_of`."""
ENTRIES: Final = "_entries"
_WIDTH: Final = "record_width"
GrainKey = tuple[str, int | None]
"""Name of a grain and, for grains of metadata, the key."""


def row_of(
    cells: Cells, *, organization_id: int, grain: Grain, key_id: int | None, bucket_start: datetime
) -> tuple[object, ...]:
    """The row in the order of `STORED`; the keys of the cells are the axes of the grain."""
    width, records = _records_of(cells)
    head = pack(_head_of(cells, grain) | {_WIDTH: np.full(len(cells), width)}, len(cells))
    requests = int(cells.sums["requests"].sum())
    return (organization_id, grain.name, key_id, bucket_start, len(cells), requests, head, records)


def row_of_requests(frame: Mapping[str, Ints], *, organization_id: int, bucket_start: datetime) -> tuple[object, ...]:
    """The row of an hour's single requests, in the order of `STORED`: their columns are the head."""
    size = len(frame["failed"])
    return (organization_id, REQUESTS, None, bucket_start, size, size, pack(frame, size), b"")


def _head_of(cells: Cells, grain: Grain) -> dict[str, Numbers]:
    columns: dict[str, Numbers] = {axis: cells.keys[:, place] for place, axis in enumerate(grain.axes)}
    columns |= {name: cells.sums[name] for name in SUMS}
    for name in HISTOGRAM_NAMES:
        some = cells.sums[f"{name}_count"] > 0
        columns[f"{name}_min"] = np.where(some, cells.mins[name], 0)
        columns[f"{name}_max"] = np.where(some, cells.maxs[name], 0)
        columns[name + ENTRIES] = cells.entries[name].lengths
    return columns


def _layout(width: int) -> np.dtype[np.void]:
    return np.dtype([("slot", "<u2"), ("count", f"<u{width}")])


def _places(lengths: Ints) -> Ints:
    """Where each (cell, histogram) begins, and at the end the number of all. `lengths`: cells x histograms."""
    return np.concatenate(([0], np.cumsum(lengths.reshape(-1))))


def _indexes(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, ... of every run, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places: Ints = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return places


def _records_of(cells: Cells) -> tuple[int, bytes]:
    found = [cells.entries[name] for name in HISTOGRAM_NAMES]
    most = max((int(one.counts.max()) for one in found if len(one.counts)), default=0)
    width = next(width for width in (1, 2, 4) if most < 1 << 8 * width)
    lengths = np.stack([one.lengths for one in found], axis=1)
    places = _places(lengths)
    records = np.empty(int(places[-1]), dtype=_layout(width))
    begin = places[:-1].reshape(lengths.shape)
    for number, one in enumerate(found):
        where = _indexes(begin[:, number], one.lengths)
        records["slot"][where], records["count"][where] = one.slots, one.counts
    return width, records.tobytes()


class Kept(NamedTuple):
    """Cells of stored rows of one grain, one row after the other, still packed."""

    heads: list[Packed]

    @property
    def size(self) -> int:
        """Number of cells."""
        return sum(one.size for one in self.heads)

    def column(self, name: str) -> Numbers:
        """Keys, sums or lengths of all cells."""
        return column(self.heads, name)

    def extreme(self, name: str, part: str) -> Ints:
        """`min` or `max` of a histogram, `NO_MIN` or `NO_MAX` for cells without samples."""
        some = self.column(f"{name}_count") > 0
        return np.where(some, self.column(f"{name}_{part}"), NO_MIN if part == "min" else NO_MAX)

    def spans(self) -> list[tuple[Ints, int]]:
        """Per row: the byte at which each cell's records begin (and the last one's end), and the width of a count."""
        answer = []
        lengths = sum((self.column(name + ENTRIES) for name in HISTOGRAM_NAMES), np.zeros(self.size, dtype=np.int64))
        widths, start = self.column(_WIDTH), 0
        for one in self.heads:
            width = int(widths[start]) if one.size else 1
            answer.append((_places(lengths[start : start + one.size]) * (2 + width), width))
            start += one.size
        return answer

    def entries(self, name: str, pieces: Sequence[bytes], wanted: npt.NDArray[np.bool_]) -> Entries:
        """Histogram entries of the wanted cells. `pieces`: per row the records of its wanted cells, joined."""
        lengths = np.stack([self.column(one + ENTRIES) for one in HISTOGRAM_NAMES], axis=1)
        number, widths, start = HISTOGRAM_NAMES.index(name), self.column(_WIDTH), 0
        parts = []
        for head, text in zip(self.heads, pieces, strict=True):
            end = start + head.size
            mine = lengths[start:end][wanted[start:end]]
            records = np.frombuffer(text, _layout(int(widths[start]) if head.size else 1))
            begin = _places(mine)[:-1].reshape(mine.shape)[:, number]
            found = records[_indexes(begin, mine[:, number])]
            parts.append(Entries(mine[:, number], found["slot"].astype(np.int64), found["count"].astype(np.int64)))
            start = end
        return histogram.concatenate(parts)


def cells_of(grain: Grain, head: bytes, records: bytes) -> Cells:
    """The cells of one row."""
    kept = Kept([Packed(head)])
    everything = np.ones(kept.size, dtype=bool)
    return Cells(
        np.stack([kept.column(axis) for axis in grain.axes], axis=1)
        if grain.axes
        else np.empty((kept.size, 0), dtype=np.int64),
        {name: kept.column(name) for name in SUMS},
        {name: kept.extreme(name, "min") for name in HISTOGRAM_NAMES},
        {name: kept.extreme(name, "max") for name in HISTOGRAM_NAMES},
        {name: kept.entries(name, [records], everything) for name in HISTOGRAM_NAMES},
    )


def read_grains(rows: QuerySet[Any]) -> dict[GrainKey, list[Cells]]:
    """Stored rows of known grains as cells, per grain and metadata key, in order of their buckets."""
    found: dict[GrainKey, list[Cells]] = {}
    fields = ("grain", "metadata_key_id", "head", "records")
    for name, key_id, head, records in read_rows(rows.order_by("bucket_start").values_list(*fields)):
        if name in BY_NAME:
            found.setdefault((name, key_id), []).append(cells_of(BY_NAME[name], bytes(head), bytes(records)))
    return found


def joined(parts: Sequence[Cells] | None, grain: Grain) -> Cells:
    """All of them as cells of the grain, not merged."""
    return concatenate(parts, len(grain.axes)) if parts else no_cells(len(grain.axes))
