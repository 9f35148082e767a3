"""XLSX: a zip of XML, written row by row. What a text cell holds is text: there is no way to write a formula here.

Written by hand, because the libraries for it need the whole file before its first byte leaves, see
docs/decisions/0008-xlsx-by-hand.md.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from analytics.exports.formats import xlsx_parts as parts
from analytics.exports.formats.sink import Sink
from analytics.exports.formats.values import object_texts
from analytics.exports.manifest import whole
from analytics.exports.table import Batch, Column, Kind, Table
from metricsportal.lib.csv_columns import Remembered
from metricsportal.lib.money import usd_text

MOST_ROWS: Final = 1_048_576  # of a sheet, the header among them; what is more goes to a further sheet
_EXACT_INTEGER: Final = 2**53  # beyond it a spreadsheet's numbers lose digits
_COMPRESSION: Final = 3

Cells = Sequence[str]
"""Cells of a column as XML, without their references."""


def xlsx(table: Table) -> Iterator[bytes]:
    """The file; its directory, without which nothing can be opened, comes last."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        with _Sheets(archive, table) as sheets:
            for batch in table.taken():
                sheets.add(batch)
                yield sink.emptied()
        names = [*sheets.names, "Manifest"]
        manifest = parts.SHEET_START + _manifest_rows(table) + parts.SHEET_END
        for path, content in {parts.sheet_path(len(names)): manifest, **parts.frame(names)}.items():
            with archive.open(path, "w") as entry:  # not writestr, which puts the time of day into the file
                entry.write(content)
    yield sink.emptied()


class _Sheets:
    """The sheets of rows; a full one is followed by another."""

    def __init__(self, archive: zipfile.ZipFile, table: Table) -> None:
        self._archive, self._open, self._row = archive, ExitStack(), 0
        self._writers = [_WRITERS[column.kind]() for column in table.columns]
        self._header = _header(table.columns)
        self._template = "".join(f'<c r="{parts.letters(number)}%s"%s' for number in range(len(self._header)))
        self.names: list[str] = []

    def __enter__(self) -> "_Sheets":
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def add(self, batch: Batch) -> None:
        """The rows of a batch, on as many sheets as they need."""
        columns = [cells for write, values in zip(self._writers, batch.columns, strict=True) for cells in write(values)]
        start = 0
        while start < batch.rows:
            if self._row == MOST_ROWS:
                self._end()
                self._begin()
            stop = min(batch.rows, start + MOST_ROWS - self._row)
            self._write([cells[start:stop] for cells in columns])
            start = stop

    def _begin(self) -> None:
        self.names.append(f"Data {len(self.names) + 1}" if self.names else "Data")
        self._sheet = self._open.enter_context(self._archive.open(parts.sheet_path(len(self.names)), "w"))
        self._sheet.write(parts.SHEET_START_FROZEN)
        self._row = 0
        self._write([[cell] for cell in self._header])

    def _write(self, columns: Sequence[Cells]) -> None:
        first, self._row = self._row + 1, self._row + len(columns[0])
        numbers = range(first, self._row + 1)
        pairs = (part for cells in columns for part in (numbers, cells))
        row = f'<row r="%s">{self._template}</row>'
        self._sheet.write("".join(map(row.__mod__, zip(numbers, *pairs, strict=True))).encode())

    def _end(self) -> None:
        self._sheet.write(parts.SHEET_END)
        self._open.close()


def _header(columns: Sequence[Column]) -> list[str]:
    names = []
    for column in columns:
        names.append(column.name)
        if column.kind is Kind.MONEY:
            names.append(f"{column.name}_exact")
    return [parts.text_cell(name, bold=True) for name in names]


Writer = Callable[[Sequence[Any]], list[Cells]]
"""One column of a batch to one or two columns of cells."""


def _texts() -> Writer:
    remembered = Remembered(parts.text_cell)
    return lambda values: [[parts.EMPTY if value is None else remembered[value] for value in values]]


def _objects() -> Writer:
    return lambda values: [
        [parts.EMPTY if text is None else parts.text_cell(text) for text in object_texts(values)],
    ]


def _numbers() -> Writer:
    return lambda values: [[_number(value) for value in values]]


def _number(value: float | None) -> str:
    if value is None:
        return parts.EMPTY
    if isinstance(value, int) and abs(value) > _EXACT_INTEGER:
        return parts.text_cell(str(value))
    return parts.number_cell(repr(value))


def _money() -> Writer:
    """As a number to add up, and beside it as text: a spreadsheet's numbers have fifteen digits."""

    def write(values: Sequence[int | None]) -> list[Cells]:
        amounts = [usd_text(value) for value in values]
        numbers = [parts.EMPTY if text is None else parts.number_cell(text) for text in amounts]
        return [numbers, [parts.EMPTY if text is None else parts.text_cell(text) for text in amounts]]

    return write


def _flags() -> Writer:
    cells = {None: parts.EMPTY, True: parts.flag_cell(True), False: parts.flag_cell(False)}
    return lambda values: [[cells[value] for value in values]]


_WRITERS: Final[dict[Kind, Callable[[], Writer]]] = {
    Kind.TEXT: _texts,
    Kind.VERBATIM: _texts,
    Kind.WHOLE: _numbers,
    Kind.REAL: _numbers,
    Kind.MONEY: _money,
    Kind.FLAG: _flags,
    Kind.OBJECT: _objects,
}


def _manifest_rows(table: Table) -> bytes:
    """Two columns: what, and its value as text."""
    rows = []
    for number, (name, value) in enumerate(_flat(whole(table)), 1):
        cells = "".join(
            f'<c r="{letter}{number}"{parts.EMPTY if text is None else parts.text_cell(text)}'
            for letter, text in (("A", name), ("B", value))
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    return "".join(rows).encode()


def _flat(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """One line per value: totals by their name, filters one by one."""
    for name, value in manifest.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", part) for inner, part in _flat(value))
        elif isinstance(value, list):
            yield from ((name, str(one)) for one in value)
        else:
            yield name, None if value is None else str(value)
