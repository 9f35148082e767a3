"""CSV: RFC 4180, CRLF, nothing that a spreadsheet would run. Totals are not rows, so they are not in it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from analytics.exports.formats.values import object_texts
from analytics.exports.table import Kind, Table
from metricsportal.lib import csv_columns, csv_stream

CONTENT_TYPE: Final = csv_stream.CONTENT_TYPE


def _objects() -> csv_columns.Writer:
    write = csv_columns.texts()
    return lambda values: write(object_texts(values))


_WRITERS: Final[dict[Kind, Callable[[], Callable[[Sequence[Any]], csv_columns.Written]]]] = {
    Kind.TEXT: csv_columns.texts,
    Kind.VERBATIM: csv_columns.verbatim,
    Kind.WHOLE: csv_columns.wholes,
    Kind.REAL: csv_columns.reals,
    Kind.MONEY: csv_columns.money,
    Kind.FLAG: csv_columns.flags,
    Kind.OBJECT: _objects,
}


def csv(table: Table) -> Iterator[bytes]:
    """The header, then a piece per batch."""
    writers = [_WRITERS[column.kind]() for column in table.columns]
    yield csv_stream.line(table.header).encode()
    for batch in table.taken():
        yield csv_columns.lines(batch.columns, writers).encode()
