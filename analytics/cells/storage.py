"""Cells to rows of the aggregate tables and back: one row per grain and bucket, all of its cells in two byte strings.

`head` holds keys, sums, extremes and the number of histogram entries of every cell, packed; `records` the entries: cell
by cell, within a cell in the order of `HISTOGRAMS`, each `<u2 slot, uN count>`, N as wide as the largest count needs.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from secrets import randbits
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Model, QuerySet

from analytics.catalog.columns import COLUMNS, HISTOGRAM_NAMES, Ints
from analytics.catalog.grains import BY_NAME, REQUESTS, Grain
from analytics.cells.cells import NO_MAX, NO_MIN, Cells, concatenate, no_cells
from analytics.cells.packing import Numbers, Packed, column, pack
from ingestion.writer.bulk import bulk_insert, copy_into, read_rows
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
    "stamp",
)
"""Database columns of an aggregate row, in the order of `row_of`."""
_TYPES: Final = ("int8", "varchar", "int8", "timestamptz", "int4", "int8", "bytea", "bytea", "int8")
ENTRIES: Final = "_entries"
_WIDTH: Final = "record_width"
_SLOT: Final = 2  # bytes of a slot
GrainKey = tuple[str, int | None]
"""Name of a grain and, for grains of metadata, the key."""


def store(table: type[Model], rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows in the order of `STORED`. In binary where that is possible: as text they are twice as long."""
    if connection.vendor == "postgresql":
        copy_into(table._meta.db_table, STORED, rows, _TYPES)
    else:
        bulk_insert(table, STORED, rows)


def row_of(
    cells: Cells, *, organization_id: int, grain: Grain, key_id: int | None, bucket_start: datetime
) -> tuple[object, ...]:
    """The row in the order of `STORED`; the keys of the cells are the axes of the grain."""
    width, records = _records_of(cells)
    head = pack(_head_of(cells, grain) | {_WIDTH: np.full(len(cells), width)}, len(cells))
    requests = int(cells.sums["requests"].sum())
    return (organization_id, grain.name, key_id, bucket_start, len(cells), requests, head, records, randbits(63))


def row_of_requests(frame: Mapping[str, Ints], *, organization_id: int, bucket_start: datetime) -> tuple[object, ...]:
    """The row of an hour's single requests, in the order of `STORED`: their columns are the head."""
    size = len(frame["failed"])
    return (organization_id, REQUESTS, None, bucket_start, size, size, pack(frame, size), b"", randbits(63))


def _head_of(cells: Cells, grain: Grain) -> dict[str, Numbers]:
    columns: dict[str, Numbers] = {axis: cells.keys[:, place] for place, axis in enumerate(grain.axes)}
    columns |= {name: cells.sums[name] for name in SUMS}
    for name in HISTOGRAM_NAMES:
        some = cells.sums[f"{name}_count"] > 0
        columns[f"{name}_min"] = np.where(some, cells.mins[name], 0)
        columns[f"{name}_max"] = np.where(some, cells.maxs[name], 0)
        columns[name + ENTRIES] = cells.entries[name].lengths
    return columns


@cache
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


class Kept:
    """Cells of stored rows of one grain, one row after the other: unpacked column by column, each once."""

    def __init__(self, heads: Sequence[Packed]) -> None:
        self.heads = heads
        self.size = sum(one.size for one in heads)
        self._columns: dict[str, Numbers] = {}

    def column(self, name: str) -> Numbers:
        """Keys, sums or lengths of all cells."""
        if name not in self._columns:
            self._columns[name] = column(self.heads, name)
        return self._columns[name]

    def extreme(self, name: str, part: str) -> Ints:
        """`min` or `max` of a histogram, `NO_MIN` or `NO_MAX` for cells without samples."""
        place = f"{name}:{part}"
        if place not in self._columns:
            some = self.column(f"{name}_count") > 0
            nothing = NO_MIN if part == "min" else NO_MAX
            self._columns[place] = np.where(some, self.column(f"{name}_{part}"), nothing)
        return self._columns[place]

    @cached_property
    def lengths(self) -> Ints:
        """Histogram entries of every cell: cells x histograms."""
        return np.stack([self.column(name + ENTRIES) for name in HISTOGRAM_NAMES], axis=1)

    @cached_property
    def widths(self) -> list[int]:
        """Per row: bytes of a count."""
        return [one.constant(_WIDTH) or 1 for one in self.heads]

    @cached_property
    def numbers(self) -> Ints:
        """The row of each cell."""
        return np.repeat(np.arange(len(self.heads)), [one.size for one in self.heads])

    @cached_property
    def spans(self) -> tuple[Ints, Ints]:
        """First byte of each cell's records within those of its row, and the one behind the last."""
        sizes = self.lengths.sum(axis=1) * (_SLOT + np.array(self.widths, dtype=np.int64))[self.numbers]
        ends = np.cumsum(sizes)
        begins = ends - sizes
        first = np.searchsorted(self.numbers, np.arange(len(self.heads)))  # a row without cells is asked for nothing
        base = np.append(begins, 0)[first][self.numbers]
        return begins - base, ends - base

    def records(self, pieces: Sequence[bytes], wanted: npt.NDArray[np.bool_]) -> "Records":
        """Histogram entries of the wanted cells. `pieces`: per row the records of its wanted cells, joined."""
        slots, counts = [], []
        for text, width in zip(pieces, self.widths, strict=True):
            if text:
                found = np.frombuffer(text, _layout(width))
                slots.append(found["slot"])
                counts.append(found["count"])
        return Records(self.lengths[wanted], _one(slots), _one(counts))


def _one(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """As narrow as the widest."""
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint8)


class Records:
    """Histogram entries of some cells, cell by cell, slots and counts as narrow as stored."""

    def __init__(self, lengths: Ints, slots: npt.NDArray[Any], counts: npt.NDArray[Any]) -> None:
        self._lengths, self._slots, self._counts = lengths, slots, counts

    @classmethod
    def joined(cls, parts: Sequence["Records"]) -> "Records":
        """Cells of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        nothing = np.empty((0, len(HISTOGRAM_NAMES)), dtype=np.int64)
        return cls(
            np.concatenate([nothing, *(one._lengths for one in parts)]),
            _one([one._slots for one in parts]),
            _one([one._counts for one in parts]),
        )

    @cached_property
    def _histograms(self) -> npt.NDArray[np.uint8]:
        """Of each entry the place of its histogram."""
        places = np.tile(np.arange(self._lengths.shape[1], dtype=np.uint8), len(self._lengths))
        return np.repeat(places, self._lengths.reshape(-1))

    @property
    def memory(self) -> int:
        """Bytes it takes, at most."""
        return self._lengths.nbytes + self._slots.nbytes + self._counts.nbytes + len(self._slots)

    def entries(self, name: str) -> Entries:
        """Those of one histogram."""
        number = HISTOGRAM_NAMES.index(name)
        own = np.flatnonzero(self._histograms == number)
        return Entries(self._lengths[:, number], self._slots[own].astype(np.int64), self._counts[own].astype(np.int64))

    def of(self, cells: npt.NDArray[np.bool_]) -> "Records":
        """Those of some of the cells."""
        own = np.repeat(cells, self._lengths.sum(axis=1))
        return Records(self._lengths[cells], self._slots[own], self._counts[own])

    def split(self, sizes: Sequence[int]) -> list["Records"]:
        """Those of the first so many cells, and so on."""
        cells = np.cumsum(sizes)[:-1]
        entries = np.append(0, np.cumsum(self._lengths.sum(axis=1)))[cells]
        parts = (np.split(self._lengths, cells), np.split(self._slots, entries), np.split(self._counts, entries))
        return [Records(*part) for part in zip(*parts, strict=True)]


def cells_of(grain: Grain, head: bytes, records: bytes) -> Cells:
    """The cells of one row."""
    kept = Kept([Packed(head)])
    found = kept.records([records], np.ones(kept.size, dtype=bool))
    return Cells(
        np.stack([kept.column(axis) for axis in grain.axes], axis=1)
        if grain.axes
        else np.empty((kept.size, 0), dtype=np.int64),
        {name: kept.column(name) for name in SUMS},
        {name: kept.extreme(name, "min") for name in HISTOGRAM_NAMES},
        {name: kept.extreme(name, "max") for name in HISTOGRAM_NAMES},
        {name: found.entries(name) for name in HISTOGRAM_NAMES},
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
