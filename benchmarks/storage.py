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
    """One grain in the aggregates by hour: rows (one per bucket), cells in them, and bytes.

    Index bytes are shared out by rows, the rest by what the values take.
    """

    name: str
    rows: int
    cells: int
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


def grains(organization_id: int) -> list[Share]:
    """How the aggregates by hour of an organization divide among the grains and metadata keys."""
    table = HourAggregate._meta.db_table
    name = connection.ops.quote_name(table)
    bytes_ = "pg_column_size(head) + pg_column_size(records)"
    (all_rows, all_bytes), (_, heap, total) = (
        _query(f"SELECT count(*), sum({bytes_}) FROM {name}", [])[0],  # noqa: S608 - our own
        _sizes(table),
    )
    found = _query(
        f"SELECT grain, metadata_key_id, count(*), sum(cells), sum({bytes_}) FROM {name} "  # noqa: S608 - our own
        "WHERE organization_id = %s GROUP BY grain, metadata_key_id ORDER BY sum(cells)",
        [organization_id],
    )
    names = dict(MetadataKey.objects.values_list("id", "name"))
    return [
        Share(
            f"{grain} {names[key]}" if key else grain,
            rows,
            int(cells),
            round(size / all_bytes * heap + rows / all_rows * (total - heap)),
        )
        for grain, key, rows, cells, size in found
    ]


def _query(statement: str, values: list[str] | list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
