"""Every format in which a table leaves the portal: one entry each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from analytics.exports.formats import delimited, documents
from analytics.exports.table import Table

JSON: Final = "json"
PIECE: Final = 64 * 1024  # bytes gathered before they are handed on


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a table: name (also the extension of files), content type, and the writer of its pieces."""

    name: str
    content_type: str
    write: Callable[[Table], Iterator[bytes]]


FORMATS: Final = {
    one.name: one
    for one in (
        Format(JSON, "application/json", documents.json),
        Format("csv", delimited.CONTENT_TYPE, delimited.csv),
        Format("ndjson", "application/x-ndjson", documents.ndjson),
    )
}
CONTENT_TYPES: Final = {name: one.content_type for name, one in FORMATS.items()}
"""Every format that is written, with its content type."""


def pieces(table: Table, name: str) -> Iterator[bytes]:
    """The file, in pieces of about `PIECE` bytes or more. A stream that breaks off lacks its last piece."""
    return _gathered(FORMATS[name].write(table))


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
