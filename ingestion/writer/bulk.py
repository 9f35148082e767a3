"""Many rows into one table, and out of the database, with as little work per value as it allows.

Into: COPY on PostgreSQL, one prepared statement on SQLite. Out of PostgreSQL: in binary, because a histogram as text is
twice as long and has to be decoded.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import QuerySet

Row = Sequence[Any]


def bulk_insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Insert rows and return how many; call it inside an open transaction.

    `columns` are database columns from our own code, never text from outside. A JSON column takes text or plain
    values, a time column aware datetimes. Raises the errors of `django.db`.
    """
    if connection.vendor == "postgresql":
        return copy_into(model._meta.db_table, columns, prepared(model, columns, rows))
    values: list[Any] = list(prepared(model, columns, rows))
    with connection.cursor() as cursor:
        cursor.executemany(_insert_statement(model, columns), values)
    return len(values)


def insert_missing(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows, skipping those that some unique key already holds."""
    statement = f"{_insert_statement(model, columns)} ON CONFLICT DO NOTHING"
    values: list[Any] = list(prepared(model, columns, rows))
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def copy_into(table: str, columns: Sequence[str], rows: Iterable[Row], types: Sequence[str] = ()) -> int:
    """COPY rows into a PostgreSQL table, inside an open transaction; past policies COPY leads nowhere, INSERT does."""
    if not settings.ROW_SECURITY:
        return copy_rows(table, columns, rows, types)
    quote = connection.ops.quote_name
    names, staging = ", ".join(map(quote, columns)), f"{table}_staging"
    select = f"SELECT {names} FROM"
    with connection.cursor() as cursor:
        # Names of our own tables and columns; values travel through COPY.
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {quote(staging)} ON COMMIT DELETE ROWS "  # noqa: S608
            f"AS {select} {quote(table)} WITH NO DATA; DELETE FROM {quote(staging)}"
        )
        count = copy_rows(staging, columns, rows, types)
        cursor.execute(f"INSERT INTO {quote(table)} ({names}) {select} {quote(staging)}")
    return count


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Row], types: Sequence[str] = ()) -> int:
    """COPY rows into a PostgreSQL table without policies, as temporary ones are, and return how many.

    With the types of all columns the binary form is used: less than half the work on both sides.
    """
    count = 0
    names = ", ".join(map(connection.ops.quote_name, columns))
    binary = "(FORMAT BINARY)" if types else ""
    statement = f"COPY {connection.ops.quote_name(table)} ({names}) FROM STDIN {binary}"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        if types:
            copy.set_types(types)
        write = copy.write_row
        for row in rows:
            write(row)
            count += 1
    return count


def read_rows(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Rows of integers, texts and bytes as the driver gives them.

    Django passes every number of an expression through a converter that changes nothing here; for tens of thousands
    of values that takes longer than reading them. Times are text on SQLite.
    """
    if connection.vendor != "postgresql":
        compiler = rows.query.get_compiler(using=rows.db)
        return [row for part in compiler.execute_sql() for row in part]
    select = statement_of(rows)
    if select is None:
        return []
    with driver_cursor() as cursor:
        return cursor.execute(select.encode(), binary=True).fetchall()


@contextmanager
def driver_cursor() -> "Iterator[psycopg.Cursor[tuple[Any, ...]]]":
    """The driver's own cursor. PostgreSQL.

    Django's has the parameters in the statement, and every value of the answer as text.
    """
    # The border is told to transactions; a statement outside of one sees nothing behind policies.
    alone = settings.ROW_SECURITY and not connection.in_atomic_block
    with transaction.atomic() if alone else nullcontext():
        connection.ensure_connection()
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            yield cursor


def statement_of(rows: QuerySet[Any, Any]) -> str | None:
    """The SELECT with its parameters written into it by the driver, quoted; None when no row can match. PostgreSQL."""
    try:
        sql, params = rows.query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:  # the ORM knows
        return None
    composed: str = connection.ops.compose_sql(sql, params)  # type: ignore[attr-defined] # of the PostgreSQL backend
    return composed


def among(column: str, values: Sequence[int] | Sequence[str]) -> tuple[str, list[Any] | str]:
    """The condition that a column of ours is one of the values, however many they are, and its one parameter."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", list(values)
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(values)  # noqa: S608 - a column of ours


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Slices that fit into one query of the ORM: SQLite allows few parameters."""
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


def prepared(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Row]:
    """The rows in the form that the driver of this database takes."""
    vendor = connection.vendor
    by_column = {field.column: field for field in model._meta.concrete_fields}
    adapters = [
        (position, adapter)
        for position, column in enumerate(columns)
        if (adapter := _adapter(by_column[column], vendor)) is not None
    ]
    return _adapted(rows, adapters) if adapters else rows


_Adapter = Callable[[Any], object]


def _adapted(rows: Iterable[Row], adapters: Sequence[tuple[int, _Adapter]]) -> Iterator[Row]:
    for row in rows:
        values = list(row)
        for position, adapter in adapters:
            if values[position] is not None:
                values[position] = adapter(values[position])
        yield values


def _adapter(field: "models.Field[Any, Any]", vendor: str) -> _Adapter | None:
    if isinstance(field, models.JSONField):
        return _json_text
    if vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _sqlite_time
    return date.isoformat if isinstance(field, models.DateField) else None


def _json_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _sqlite_time(value: datetime) -> str:
    # The text form that Django's SQLite backend writes and compares: naive UTC.
    return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))


def _insert_statement(model: type[models.Model], columns: Sequence[str]) -> str:
    quote = connection.ops.quote_name
    names, marks = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    # Table and column names come from our models; every value is a parameter.
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608
