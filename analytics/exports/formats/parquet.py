"""Parquet by Arrow: types as they are, money as decimal, the manifest as key-value metadata of the file."""

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.exports.formats.sink import Sink
from analytics.exports.formats.values import object_texts
from analytics.exports.manifest import whole
from analytics.exports.table import Batch, Kind, Table

GROUP_ROWS: Final = 20_000  # of a row group: small enough for flat memory, large enough that readers do not mind
MANIFEST_KEY: Final = "metrics-portal.manifest"
_EXACT: Final = Context(prec=38)
_MONEY: Final = pa.decimal128(38, 12)


def _dollars(picodollars: Sequence[int | None]) -> list[Decimal | None]:
    return [None if value is None else _EXACT.scaleb(Decimal(value), -12) for value in picodollars]


def _same(values: Sequence[Any]) -> Sequence[Any]:
    return values


_TYPES: Final[dict[Kind, tuple[pa.DataType, Callable[[Sequence[Any]], Sequence[Any]]]]] = {
    Kind.TEXT: (pa.string(), _same),
    Kind.VERBATIM: (pa.string(), _same),
    Kind.WHOLE: (pa.int64(), _same),
    Kind.REAL: (pa.float64(), _same),
    Kind.MONEY: (_MONEY, _dollars),
    Kind.FLAG: (pa.bool_(), _same),
    Kind.OBJECT: (pa.string(), object_texts),
}


def parquet(table: Table) -> Iterator[bytes]:
    """The file, a row group at a time; its footer, without which nothing can be read, comes last."""
    schema = pa.schema([(column.name, _TYPES[column.kind][0]) for column in table.columns])
    sink = Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _groups(table, schema):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            yield sink.emptied()
        writer.add_key_value_metadata({MANIFEST_KEY: json.dumps(whole(table))})
    yield sink.emptied()


def _groups(table: Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of `GROUP_ROWS` rows, the last one of fewer: where batches end does not show in the file."""
    waiting: list[pa.RecordBatch] = []
    for batch in table.taken():
        waiting.append(_record_batch(table, batch, schema))
        while sum(one.num_rows for one in waiting) >= GROUP_ROWS:
            joined = pa.Table.from_batches(waiting)
            yield joined.slice(0, GROUP_ROWS)
            waiting = joined.slice(GROUP_ROWS).to_batches()
    if waiting:
        yield pa.Table.from_batches(waiting)


def _record_batch(table: Table, batch: Batch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column, values in zip(table.columns, batch.columns, strict=True):
        kind, form = _TYPES[column.kind]
        arrays.append(pa.array(form(values), kind))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
