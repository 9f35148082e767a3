"""Entries of one source, for a question: cells of a grain or single requests, behind one face."""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import numpy as np

from analytics.catalog.columns import COLUMNS, HISTOGRAMS, Frame, Ints
from analytics.cells.frame import INSTANT, NO_SAMPLE
from analytics.cells.packing import Numbers
from analytics.cells.storage import Kept
from analytics.query.matching import Flags
from analytics.query.stored import Rows
from metricsportal.lib.histogram import Entries

_COLUMNS: Final = {column.name: column for column in COLUMNS}
_HISTOGRAMS: Final = {one.name: one for one in HISTOGRAMS}


class Part(Protocol):
    """Entries of one source: cells of a grain or single facts. `chosen` are flags over the part's own entries."""

    @property
    def size(self) -> int:
        """Number of entries."""

    def axis(self, name: str) -> Ints:
        """Ids of an axis (`frame_axis`)."""

    @property
    def seconds(self) -> Ints:
        """Epoch seconds of the entries, or of the buckets they are kept in."""

    def column(self, name: str) -> Numbers:
        """An additive column."""

    def extremes(self, name: str) -> tuple[Flags | None, Ints, Ints]:
        """Which entries may have samples of a histogram (None: all), and the least and most of each of those."""

    def entries(self, name: str, chosen: Flags) -> Entries:
        """Histogram entries of the chosen ones."""


class StoredPart:
    """Cells of aggregates that match, of the rows of one grain."""

    def __init__(self, rows: Rows, wanted: Flags | None, seconds: Ints | None = None) -> None:
        """`seconds`: when the buckets of the cells begin, if not with their rows."""
        self._rows, self._wanted = rows, wanted
        self.seconds: Ints = self._of(rows.seconds if seconds is None else seconds)
        self.size = len(self.seconds)

    def _of(self, values: Numbers) -> Numbers:
        return values if self._wanted is None else values[self._wanted]

    def axis(self, name: str) -> Ints:
        """Ids of an axis."""
        return self._of(self._rows.kept.column(name.partition(":")[0]))

    def column(self, name: str) -> Numbers:
        """An additive column."""
        return self._of(self._rows.kept.column(name))

    def extremes(self, name: str) -> tuple[Flags | None, Ints, Ints]:
        """Of every entry; `NO_MIN` and `NO_MAX` without samples."""
        least, most = (self._of(self._rows.kept.extreme(name, part)) for part in ("min", "max"))
        return None, least, most

    def entries(self, name: str, chosen: Flags) -> Entries:
        """Histogram entries of the chosen ones."""
        whole = chosen
        if self._wanted is not None:
            whole = self._wanted.copy()
            whole[self._wanted] = chosen
        return self._rows.records(whole).entries(name)


class FactsPart:
    """Single facts, as columns; every one is an entry of its own."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._flags: dict[str, Flags] = {}
        self.seconds: Ints = frame[INSTANT] // 10**6
        self.size = len(self.seconds)

    def axis(self, name: str) -> Ints:
        """Ids of an axis."""
        return self._frame[name]

    def column(self, name: str) -> Numbers:
        """An additive column."""
        if name in _COLUMNS:
            return _COLUMNS[name].of_facts(self._frame)
        head, _, last = name.rpartition("_")
        measured = self._measured(head)
        return measured.astype(np.int64) if last == "count" else np.where(measured, self._durations(head), 0)

    def extremes(self, name: str) -> tuple[Flags | None, Ints, Ints]:
        """Of those on which it was measured."""
        measured = self._measured(name)
        values = self._durations(name)[measured]
        return measured, values, values

    def entries(self, name: str, chosen: Flags) -> Entries:
        """Histogram entries of the chosen ones."""
        measured = self._measured(name)
        slots = self._frame[f"{_HISTOGRAMS[name].duration}_bucket"][measured & chosen] + 1
        return Entries(measured[chosen].astype(np.int64), slots, np.ones(len(slots), dtype=np.int64))

    def _durations(self, name: str) -> Ints:
        return self._frame[f"{_HISTOGRAMS[name].duration}_us"]

    def _measured(self, name: str) -> Flags:
        if name not in self._flags:
            one = _HISTOGRAMS[name]
            measured = self._frame[f"{one.duration}_bucket"] != NO_SAMPLE
            self._flags[name] = measured & (self._frame["failed"] == int(one.failed))
        return self._flags[name]


class Chosen(Mapping[str, Ints]):
    """The columns of kept requests, of the wanted ones alone, each unpacked when it is asked for."""

    def __init__(self, kept: Kept, wanted: Flags | None) -> None:
        self._kept, self._wanted = kept, wanted
        self._found: dict[str, Ints] = {}

    def __getitem__(self, name: str) -> Ints:
        if name not in self._found:
            values = self._kept.column(name)
            self._found[name] = values if self._wanted is None else values[self._wanted]
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
