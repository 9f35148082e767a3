"""Columns of integers out of PostgreSQL without a Python object, or a message of the protocol, per row.

The server joins the eight bytes that it would send for each value, column by column, in the order of the rows; numpy
reads the answer as arrays.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from analytics.catalog.columns import NULL, Ints
from ingestion.models import MetadataValue
from ingestion.writer.bulk import driver_cursor, statement_of

_BYTES: Final = 8
UNSEEN: Final = -2
"""Id of a text that is no value of its key yet."""


def read_integers(
    rows: QuerySet[Any], expressions: Sequence[Combinable], texts: Sequence[tuple[Combinable, int]] = ()
) -> list[Ints]:
    """One column per expression, then one per text: its id among the values of a metadata key, `NULL` or `UNSEEN`.

    The rows are in the order asked for; with texts in any. Raises ValueError when an expression is NULL somewhere.
    """
    wanted = [*(Cast(one, BigIntegerField()) for one in expressions), *(text for text, _ in texts)]
    select = statement_of(rows.values_list(*wanted))
    if select is None:
        return [np.empty(0, dtype=np.int64) for _ in wanted]
    numbers, names = [f"c{number}" for number in range(len(expressions))], [f"t{one}" for one in range(len(texts))]
    values = [
        *numbers,
        *(f"CASE WHEN {one} IS NULL THEN {NULL} ELSE coalesce(of_{one}.id, {UNSEEN}) END" for one in names),
    ]
    joined = ", ".join(f"string_agg(int8send({one}), ''::bytea)" for one in values)
    source = f"({select}) AS facts ({', '.join((*numbers, *names))}) {_joins(texts)}"
    statement = f"SELECT count(*), {joined} FROM {source}"  # noqa: S608 - compiled parts
    with driver_cursor() as cursor:
        ((count, *columns),) = cursor.execute(statement.encode(), binary=True).fetchall()
    if any(len(column or b"") != count * _BYTES for column in columns):
        raise ValueError("a column of integers holds something else")
    return [np.frombuffer(column or b"", dtype=">i8").astype(np.int64) for column in columns]


def _joins(texts: Sequence[tuple[Combinable, int]]) -> str:
    """Each text with the value that it is: two values of a key are never the same text, so no row comes twice."""
    table = connection.ops.quote_name(MetadataValue._meta.db_table)
    return " ".join(
        f"LEFT JOIN {table} AS of_t{number} ON of_t{number}.key_id = {key_id:d} AND of_t{number}.name = facts.t{number}"
        for number, (_, key_id) in enumerate(texts)
    )
