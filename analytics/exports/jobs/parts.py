"""What a job has read so far: one file of parts, of which each is complete or absent.

A part is its length, its checksum and its content. A process that dies in the middle of one leaves a torn end, which
the next one cuts off. The operating system lets one process at a time have the file, and gives it back when one dies.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec

from analytics.exports.jobs.folder import opened
from analytics.exports.source import Opening
from analytics.exports.table import Batch

_FRAME: Final = struct.Struct(">II")
_LEVEL: Final = 1


class TakenError(Exception):
    """Another process is at it."""


class _Place(NamedTuple):
    """How far the parts reach: the mark to go on from, rows before it, where the part after it begins."""

    mark: str | None
    rows: int
    end: int


class Parts:
    """The parts of one job. Raises TakenError while another process has them, OSError when the disk does not do."""

    def __init__(self, path: Path) -> None:
        self._file = opened(path, anew=False)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise TakenError from None
        self.opening: Opening | None = None
        self.complete = False
        place = self._last_place()
        self.mark, self.rows = place.mark, place.rows
        if not self.complete:
            self._file.truncate(place.end)
            self._file.seek(place.end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def begin(self, opening: Opening) -> None:
        """Keep what is known before the first row."""
        self.opening = opening
        self._append(opening)

    def add(self, batch: Batch) -> None:
        """Keep a batch."""
        self._append([batch.mark, *batch.columns])
        self.rows += batch.rows
        if batch.mark is not None:
            self.mark = batch.mark

    def finish(self) -> None:
        """There are no more batches."""
        self._append(None)
        self.complete = True

    def batches(self) -> Iterator[Batch]:
        """Everything kept, one batch in memory at a time."""
        for content, _ in self._contents():
            if isinstance(content, list):
                yield Batch(content[1:], content[0])

    def _append(self, content: object) -> None:
        packed = zlib.compress(msgspec.json.encode(content), _LEVEL)
        self._file.write(_FRAME.pack(len(packed), zlib.crc32(packed)) + packed)
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def _last_place(self) -> _Place:
        """Read the whole parts; what lies behind the last one from which the source can go on does not count."""
        place, rows = _Place(None, 0, 0), 0
        for content, end in self._contents():
            if isinstance(content, dict):
                self.opening = content
                place = _Place(None, 0, end)
            elif content is None:
                self.complete = True
                place = _Place(place.mark, rows, end)
            else:
                rows += len(content[1])
                if content[0] is not None:
                    place = _Place(content[0], rows, end)
        return place

    def _contents(self) -> Iterator[tuple[Any, int]]:
        """The content of every whole part, and where it ends."""
        self._file.seek(0)
        while len(head := self._file.read(_FRAME.size)) == _FRAME.size:
            length, checksum = _FRAME.unpack(head)
            packed = self._file.read(length)
            if len(packed) < length or zlib.crc32(packed) != checksum:
                return
            yield msgspec.json.decode(zlib.decompress(packed)), self._file.tell()
