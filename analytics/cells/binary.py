"""Columns of integers out of PostgreSQL in its binary COPY form: no Python object per value.

Layout: https://www.postgresql.org/docs/current/sql-copy.html, Binary Format. With every field a bigint that is not
NULL all rows have the same length, so that numpy reads the answer as one array.
"""

from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from analytics.catalog.columns import Ints
from ingestion.writer.bulk import statement_of

_HEADER: Final = 11 + 4 + 4  # signature, flags, length of the extension, which is empty
_TRAILER: Final = 2
_FIELD: Final = np.dtype([("size", ">i4"), ("value", ">i8")])


def read_integers(rows: QuerySet[Any], expressions: list[Combinable]) -> list[Ints]:
    """One column per expression. Raises ValueError when one of them is NULL somewhere."""
    wide = rows.values_list(*(Cast(one, BigIntegerField()) for one in expressions))
    select = statement_of(wide)
    if select is None:
        return [np.empty(0, dtype=np.int64) for _ in expressions]
    statement = f"COPY ({select}) TO STDOUT (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        answer = b"".join(bytes(piece) for piece in copy)
    return _columns(answer, len(expressions))


def _columns(answer: bytes, width: int) -> list[Ints]:
    row = np.dtype([("fields", ">i2"), ("field", _FIELD, (width,))])
    count, rest = divmod(len(answer) - _HEADER - _TRAILER, row.itemsize)
    found = np.frombuffer(answer, dtype=row, count=count, offset=_HEADER)["field"]
    if rest or (found["size"] != 8).any():
        raise ValueError("a column of integers holds something else")
    return list(np.ascontiguousarray(found["value"].T, dtype=np.int64))
