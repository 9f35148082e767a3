"""Bytes of facts and aggregates, with their indexes."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from analytics.models import DayAggregate, HourAggregate
from ingestion.models import LLMRequest, MetadataKey


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and bytes of one table: its rows alone, and with indexes and everything else."""

    name: str
    rows: int
    heap: int
    total: int


@dataclass(frozen=True, slots=True)
class Share:
    """Rows and bytes of one grain in a table of aggregates; index bytes are shared out by rows."""

    name: str
    rows: int
    size: int


def vacuum() -> None:
    """What autovacuum does within minutes: statistics for the planner, no dead rows in the sizes."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def tables() -> list[Table]:
    """Facts and aggregates."""
    return [
        Table("facts", *_sizes(LLMRequest._meta.db_table)),
        Table("aggregates by hour", *_sizes(HourAggregate._meta.db_table)),
        Table("aggregates by day", *_sizes(DayAggregate._meta.db_table)),
    ]


def _sizes(table: str) -> tuple[int, int, int]:
    name = connection.ops.quote_name(table)
    rows, heap, total = _query(
        f"SELECT (SELECT count(*) FROM {name}), pg_table_size(%s), pg_total_relation_size(%s)",  # noqa: S608 - our table
        [table, table],
    )[0]
    return rows, heap, total


def grains() -> list[Share]:
    """How the aggregates by hour divide among the grains and metadata keys."""
    table = HourAggregate._meta.db_table
    name = connection.ops.quote_name(table)
    found = _query(
        f"SELECT grain, metadata_key_id, count(*), sum(pg_column_size(cell)) FROM {name} AS cell "  # noqa: S608 - ours
        "GROUP BY grain, metadata_key_id ORDER BY count(*)",
        [],
    )
    _, heap, total = _sizes(table)
    rows, measured = sum(row[2] for row in found) or 1, sum(row[3] for row in found) or 1
    names = dict(MetadataKey.objects.values_list("id", "name"))
    return [
        Share(
            f"{grain} {names[key]}" if key else grain,
            count,
            round(size / measured * heap + count / rows * (total - heap)),
        )
        for grain, key, count, size in found
    ]


def _query(statement: str, values: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
