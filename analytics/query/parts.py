"""Entries of one source, for a question: cells of a grain or single requests, behind one face."""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import numpy as np

from analytics.catalog.columns import COLUMNS, HISTOGRAMS, Frame, Ints
from analytics.cells.cells import NO_MAX, NO_MIN
from analytics.cells.frame import INSTANT, NO_SAMPLE
from analytics.cells.packing import Numbers
from analytics.cells.storage import Kept
from analytics.query.matching import Flags
from analytics.query.stored import Rows
from metricsportal.lib.histogram import Entries

_COLUMNS: Final = {column.name: column for column in COLUMNS}
_HISTOGRAMS: Final = {one.name: one for one in HISTOGRAMS}


class Part(Protocol):
    """Entries of one source: cells of a grain or single facts."""

    @property
    def size(self) -> int:
        """Number of entries."""

    def only(self, chosen: Flags) -> "Part":
        """The chosen ones alone."""

    def axis(self, name: str) -> Ints:
        """Ids of an axis (`frame_axis`)."""

    @property
    def seconds(self) -> Ints:
        """Epoch seconds of the entries, or of the buckets they are kept in."""

    def column(self, name: str) -> Numbers:
        """An additive column."""

    def extremes(self, name: str) -> tuple[Ints, Ints]:
        """Least and most of a histogram's samples of every entry; `NO_MIN` and `NO_MAX` without samples."""

    def entries(self, name: str) -> Entries:
        """Entries of a histogram."""


class StoredPart:
    """Cells of aggregates that match, of the rows of one grain."""

    def __init__(self, rows: Rows, wanted: Flags | None, seconds: Ints | None = None) -> None:
        """`seconds`: when the buckets of the cells begin, if not with their rows."""
        self._rows, self._wanted = rows, wanted
        # Every column is cut: by places, which takes a fraction of what flags take.
        self._places = None if wanted is None else np.flatnonzero(wanted)
        self._begin = rows.seconds if seconds is None else seconds
        self.seconds: Ints = self._of(self._begin)
        self.size = len(self.seconds)

    def _of(self, values: Numbers) -> Numbers:
        return values if self._places is None else values[self._places]

    def only(self, chosen: Flags) -> "StoredPart":
        """The chosen ones alone."""
        whole = chosen
        if self._wanted is not None:
            whole = self._wanted.copy()
            whole[self._wanted] = chosen
        return StoredPart(self._rows, whole, self._begin)

    def axis(self, name: str) -> Ints:
        """Ids of an axis."""
        return self._of(self._rows.kept.column(name.partition(":")[0]))

    def column(self, name: str) -> Numbers:
        """An additive column."""
        return self._of(self._rows.kept.column(name))

    def extremes(self, name: str) -> tuple[Ints, Ints]:
        """Of every entry; `NO_MIN` and `NO_MAX` without samples."""
        least, most = (self._of(self._rows.kept.extreme(name, part)) for part in ("min", "max"))
        return least, most

    def entries(self, name: str) -> Entries:
        """Entries of a histogram."""
        wanted = np.ones(self._rows.size, dtype=bool) if self._wanted is None else self._wanted
        return self._rows.records(wanted).entries(name)


class FactsPart:
    """Single facts, as columns; every one is an entry of its own."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._flags: dict[str, Flags] = {}
        self.seconds: Ints = frame[INSTANT] // 10**6
        self.size = len(self.seconds)

    def only(self, chosen: Flags) -> "FactsPart":
        """The chosen ones alone."""
        return FactsPart(Chosen(self._frame, chosen))

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

    def extremes(self, name: str) -> tuple[Ints, Ints]:
        """Of every entry; `NO_MIN` and `NO_MAX` where nothing was measured."""
        measured, values = self._measured(name), self._durations(name)
        return np.where(measured, values, NO_MIN), np.where(measured, values, NO_MAX)

    def entries(self, name: str) -> Entries:
        """Entries of a histogram."""
        measured = self._measured(name)
        slots = self._frame[f"{_HISTOGRAMS[name].duration}_bucket"][measured] + 1
        return Entries(measured.astype(np.int64), slots, np.ones(len(slots), dtype=np.int64))

    def _durations(self, name: str) -> Ints:
        return self._frame[f"{_HISTOGRAMS[name].duration}_us"]

    def _measured(self, name: str) -> Flags:
        if name not in self._flags:
            one = _HISTOGRAMS[name]
            measured = self._frame[f"{one.duration}_bucket"] != NO_SAMPLE
            self._flags[name] = measured & (self._frame["failed"] == int(one.failed))
        return self._flags[name]


class Chosen(Mapping[str, Ints]):
    """The columns of a frame, of the wanted entries alone, each read when it is asked for."""

    def __init__(self, frame: Frame | Kept, wanted: Flags | None) -> None:
        self._of = frame.column if isinstance(frame, Kept) else frame.__getitem__
        self._places = None if wanted is None else np.flatnonzero(wanted)
        self._found: dict[str, Ints] = {}

    def __getitem__(self, name: str) -> Ints:
        if name not in self._found:
            values = self._of(name)
            self._found[name] = values if self._places is None else values[self._places]
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
