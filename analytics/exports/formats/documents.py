"""JSON, as one document or as a line per row; what stands behind the last row proves that it is the last one."""

from collections.abc import Iterator
from typing import Any

import msgspec

from analytics.exports.formats.values import json_values
from analytics.exports.table import Batch, Table


def json(table: Table) -> Iterator[bytes]:
    """`{"rows": [...], "totals": {...}, "meta": {...}}`."""
    yield b"{" + msgspec.json.encode(table.rows_name) + b":["
    separator = b""
    for batch in table.taken():
        if batch.rows:
            yield separator + msgspec.json.encode(_rows(table, batch))[1:-1]
            separator = b","
    yield b"]," + msgspec.json.encode(table.end())[1:]


def ndjson(table: Table) -> Iterator[bytes]:
    """A row per line; the last line holds totals and meta, unless the rows stand alone."""
    encoder = msgspec.json.Encoder()
    for batch in table.taken():
        yield encoder.encode_lines(_rows(table, batch))
    if not table.bare:
        yield encoder.encode(table.end()) + b"\n"


def _rows(table: Table, batch: Batch) -> list[dict[str, Any]]:
    header = table.header
    columns = [json_values(values, column.kind) for values, column in zip(batch.columns, table.columns, strict=True)]
    return [dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]
