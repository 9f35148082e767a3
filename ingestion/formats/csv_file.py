"""CSV files with a header: one request per row, empty cells are unknown."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from ingestion.formats.base import Format, MalformedError
from ingestion.formats.mapping import METADATA, Reading, apply, unknown_as_metadata
from ingestion.pipeline import Item
from ingestion.records import Code, RejectedError, RequestRecord

Cells = Mapping[str, str]
"""The filled cells of a row by the name of their column."""
Check = Callable[[Sequence[str], Reading], None]
"""Raises MalformedError for a header that cannot be read."""
ToRecord = Callable[[Sequence[str], Cells], RequestRecord]
"""Header and cells to a record. Raises RejectedError."""


def format_of(name: str, check: Check, to_record: ToRecord, *, known: Collection[str]) -> Format:
    """The format of a kind of CSV file. `known`: columns that are no candidates for metadata."""

    def of_file(file: BinaryIO, reading: Reading) -> Iterator[Item]:
        def decode(header: Sequence[str], cells: Cells) -> RequestRecord:
            record = to_record(header, cells)
            if reading.keep_unknown:
                unknown = [name for name in cells if name not in known and not name.startswith(METADATA)]
                unknown_as_metadata(record, {name: cells[name] for name in unknown})
            apply(record, reading.rules, cells.get)
            return record

        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            yield from _items(csv.reader(text, strict=True), lambda header: check(header, reading), decode)
        finally:
            text.detach()

    return Format(name, lambda body, reading: of_file(io.BytesIO(body), reading), of_file)


def _items(reader: Any, check: Callable[[Sequence[str]], None], decode: ToRecord) -> Iterator[Item]:  # noqa: ANN401 - the type of csv.reader has no name
    try:
        header = next(reader, None)
        if not header:
            raise MalformedError("The file is empty", line=1)
        check(header)
        for index, cells in enumerate(row for row in reader if row):
            try:
                yield index, decode(header, _filled(header, cells))
            except RejectedError as error:
                yield index, error
    except (csv.Error, UnicodeDecodeError) as error:
        raise MalformedError(f"This is not CSV in UTF-8: {error}", line=reader.line_num + 1) from error


def _filled(header: Sequence[str], cells: Sequence[str]) -> Cells:
    if len(cells) != len(header):
        message = f"The row has {len(cells)} cells, the header {len(header)}."
        raise RejectedError(Code.INVALID, "", message)
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell}


def unknown_columns(header: Sequence[str], known: Collection[str], reading: Reading) -> list[str]:
    """Columns that neither the format nor a rule of the organization reads."""
    asked = {rule.attribute for rule in reading.rules}
    return [name for name in header if name not in known and name not in asked]
