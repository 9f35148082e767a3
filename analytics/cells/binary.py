"""Many rows out of the database with as little work per value as it allows.

PostgreSQL sends columns of integers in its binary COPY form, which numpy reads as one array: with every field a bigint
that is not NULL all rows have the same length (https://www.postgresql.org/docs/current/sql-copy.html, Binary Format).
Other rows it sends in binary too: a histogram as text is twice as long and has to be decoded.
"""

from typing import Any, Final

import numpy as np
import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from analytics.catalog.columns import Ints

_HEADER: Final = 11 + 4 + 4  # signature, flags, length of the extension, which is empty
_TRAILER: Final = 2
_FIELD: Final = np.dtype([("size", ">i4"), ("value", ">i8")])


def read_integers(rows: QuerySet[Any], expressions: list[Combinable]) -> list[Ints]:
    """One column per expression. Raises ValueError when one of them is NULL somewhere."""
    wide = rows.values_list(*(Cast(one, BigIntegerField()) for one in expressions))
    select = _statement(wide)
    if select is None:
        return [np.empty(0, dtype=np.int64) for _ in expressions]
    statement = f"COPY ({select}) TO STDOUT (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        answer = b"".join(bytes(piece) for piece in copy)
    return _columns(answer, len(expressions))


def read_rows(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Rows of integers, texts and bytes as the driver gives them.

    Django passes every number of an expression through a converter that changes nothing here; for tens of thousands
    of values that takes longer than reading them.
    """
    if connection.vendor != "postgresql":
        compiler = rows.query.get_compiler(using=rows.db)
        return [row for part in compiler.execute_sql() for row in part]
    select = _statement(rows)
    if select is None:
        return []
    connection.ensure_connection()
    # Not Django's cursor class: that one has the parameters in the statement and every value of the answer as text.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(select.encode(), binary=True).fetchall()


def _statement(rows: QuerySet[Any, Any]) -> str | None:
    """The SELECT with its parameters written into it by the driver, quoted; None when no row can match."""
    try:
        sql, params = rows.query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:
        return None
    composed: str = connection.ops.compose_sql(sql, params)  # type: ignore[attr-defined] # of the PostgreSQL backend
    return composed


def _columns(answer: bytes, width: int) -> list[Ints]:
    row = np.dtype([("fields", ">i2"), ("field", _FIELD, (width,))])
    count, rest = divmod(len(answer) - _HEADER - _TRAILER, row.itemsize)
    found = np.frombuffer(answer, dtype=row, count=count, offset=_HEADER)["field"]
    if rest or (found["size"] != 8).any():
        raise ValueError("a column of integers holds something else")
    return list(np.ascontiguousarray(found["value"].T, dtype=np.int64))
