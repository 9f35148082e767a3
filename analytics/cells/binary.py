"""Columns of integers out of PostgreSQL without a Python object, or a message of the protocol, per row.

The server joins the eight bytes that it would send for each value, column by column, in the order of the rows; numpy
reads the answer as arrays.
"""

from typing import Any, Final

import numpy as np
import psycopg
from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from analytics.catalog.columns import Ints
from ingestion.writer.bulk import statement_of

_BYTES: Final = 8


def read_integers(rows: QuerySet[Any], expressions: list[Combinable]) -> list[Ints]:
    """One column per expression. Raises ValueError when one of them is NULL somewhere."""
    select = statement_of(rows.values_list(*(Cast(one, BigIntegerField()) for one in expressions)))
    if select is None:
        return [np.empty(0, dtype=np.int64) for _ in expressions]
    names = [f"c{number}" for number in range(len(expressions))]
    joined = ", ".join(f"string_agg(int8send({name}), ''::bytea)" for name in names)
    statement = f"SELECT count(*), {joined} FROM ({select}) AS facts ({', '.join(names)})"  # noqa: S608 - compiled parts
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        ((count, *columns),) = cursor.execute(statement.encode(), binary=True).fetchall()
    if any(len(column or b"") != count * _BYTES for column in columns):
        raise ValueError("a column of integers holds something else")
    return [np.frombuffer(column or b"", dtype=">i8").astype(np.int64) for column in columns]
