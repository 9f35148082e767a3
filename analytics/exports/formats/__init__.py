"""Every format in which a table leaves the portal: one entry each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from analytics.exports.formats import delimited, documents, xlsx, xlsx_parts
from analytics.exports.table import Table

JSON: Final = "json"
PIECE: Final = 64 * 1024  # bytes gathered before they are handed on


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a table: name (also the extension of files), its name for people, content type, writer of pieces.

    `library`: the package that it needs, of requirements-exports.txt; empty = none.
    """

    name: str
    label: str
    content_type: str
    write: Callable[[Table], Iterator[bytes]]
    library: str = ""

    @property
    def is_text(self) -> bool:
        """Whether people can read it."""
        return self.content_type.startswith(("text/", "application/json", "application/x-ndjson"))

    @property
    def available(self) -> bool:
        """Whether this installation can write it."""
        return not self.library or find_spec(self.library) is not None


def _parquet(table: Table) -> Iterator[bytes]:
    from analytics.exports.formats.parquet import parquet  # noqa: PLC0415 - Arrow may be absent, and is large

    return parquet(table)


FORMATS: Final = {
    one.name: one
    for one in (
        Format(JSON, "JSON", "application/json", documents.json),
        Format("csv", "CSV", delimited.CONTENT_TYPE, delimited.csv),
        Format("ndjson", "NDJSON", "application/x-ndjson", documents.ndjson),
        Format("xlsx", "Excel", xlsx_parts.CONTENT_TYPE, xlsx.xlsx),
        Format("parquet", "Parquet", "application/vnd.apache.parquet", _parquet, library="pyarrow"),
    )
}


def offered() -> list[Format]:
    """Those that this installation can write, what spreadsheets open first."""
    order = ("csv", "xlsx", JSON)
    found = sorted(FORMATS.values(), key=lambda one: order.index(one.name) if one.name in order else len(order))
    return [one for one in found if one.available]


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
