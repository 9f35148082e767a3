"""Files of strangers: what would have to be in memory as a whole is refused before it is."""

import io
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from ingestion.formats.base import MalformedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE: Final = 2**17


class _Bounded(io.RawIOBase):
    """Reads `inner`, as long as no line and no whole document is longer than `longest`, and all of it than `most`."""

    def __init__(self, inner: BinaryIO, longest: int, most: int | None) -> None:
        self._inner, self._longest, self._most = inner, longest, most
        self._line = self._total = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Back to the start, after the format was recognised."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Begin to count anew."""
        self._line, self._total = 0, self._inner.seek(offset, whence)
        return self._total

    def tell(self) -> int:
        """Bytes that were read, after decompression."""
        return self._total

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """The next piece; raises MalformedError beyond a limit."""
        view = memoryview(buffer).cast("B")
        piece = self._inner.read(len(view))
        view[: len(piece)] = piece
        self._count(piece)
        return len(piece)

    def readall(self) -> bytes:
        """The rest, asked for by formats that need a document as a whole."""
        pieces, size = [], 0
        while piece := self._inner.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            self._total += len(piece)
            if size > self._longest:
                raise self._too_long()
        return b"".join(pieces)

    def _count(self, piece: bytes) -> None:
        last = piece.rfind(b"\n")
        self._line = len(piece) - last - 1 if last >= 0 else self._line + len(piece)
        self._total += len(piece)
        if self._line > self._longest:
            raise self._too_long()
        if self._most is not None and self._total > self._most:
            raise MalformedError(f"There is no end of the first records within {self._most:,} bytes")

    def _too_long(self) -> MalformedError:
        return MalformedError(
            f"A line, or a document that is not one record per line, is longer than {self._longest:,} bytes. "
            "Files of any size are read when each record is a line of its own (CSV, NDJSON)"
        )


def bounded(file: BinaryIO, longest: int, most: int | None = None) -> BinaryIO:
    """The file, refused with MalformedError where a line or a document read as a whole is longer than `longest`.

    `most`: bytes after which nothing more may be read, for those who want only the beginning.
    """
    return cast("BinaryIO", io.BufferedReader(_Bounded(file, longest, most), _PIECE))
