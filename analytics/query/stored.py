"""Aggregates as they are stored, for a question: the packed heads of a grain, and of the records only what is drawn."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import psycopg
from django.db import connection
from django.db.models import F, Q

from analytics.catalog.columns import Ints
from analytics.cells.expressions import EpochSeconds
from analytics.cells.packing import Packed
from analytics.cells.storage import Kept, Records
from analytics.models import DayAggregate, HourAggregate
from analytics.query.matching import Flags
from analytics.query.snapshot import once
from ingestion.writer.bulk import read_rows
from metricsportal.lib.timerange import TimeRange

TABLES: Final = {"day": DayAggregate, "hour": HourAggregate}
_GAP: Final = 2_000
"""Bytes between two pieces that are read along with them: PostgreSQL keeps long values in chunks of about that size."""
_WHOLE: Final = 0.4
"""From this share of a table's records on they are read whole, which takes less than reading them in pieces."""


class Rows:
    """The rows of one grain in some ranges of time: heads at once, records when asked for."""

    def __init__(self, level: str, found: Sequence[tuple[int, int, bytes]]) -> None:
        self.level = level
        self.pks = [pk for pk, _, _ in found]
        self.kept = Kept([Packed(bytes(head)) for _, _, head in found])
        sizes = [one.size for one in self.kept.heads]
        self.seconds: Ints = np.repeat(np.array([second for _, second, _ in found], dtype=np.int64), sizes)
        self._records: dict[bytes, Records] = {}

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.kept.size

    def records(self, wanted: Flags) -> Records:
        """Histogram entries of the wanted cells, read once."""
        key = np.packbits(wanted).tobytes()
        if key not in self._records:
            self._records[key] = self.kept.records(_pieces(self, wanted), wanted)
        return self._records[key]


@once
def rows_of(level: str, organization_id: int, grain: str, key_id: int | None, ranges: tuple[TimeRange, ...]) -> Rows:
    """The rows of a grain at `hour` or `day` that start in the ranges, in order."""
    within = Q(pk__in=[])
    for one in ranges:
        within |= Q(bucket_start__gte=one.start, bucket_start__lt=one.end)
    rows = TABLES[level]._default_manager.filter(organization_id=organization_id, grain=grain, metadata_key_id=key_id)
    ordered = rows.filter(within).order_by("bucket_start")
    return Rows(level, read_rows(ordered.values_list("pk", EpochSeconds(F("bucket_start")), "head")))


_Cuts = list[tuple[int, int]]


def _pieces(rows: Rows, wanted: Flags) -> list[bytes]:
    """Per row the records of its wanted cells, joined."""
    cuts, total, asked, start = list[_Cuts](), 0, 0, 0
    for places, one in zip(rows.kept.spans(), rows.kept.heads, strict=True):
        flags = wanted[start : start + one.size]
        start += one.size
        cuts.append(_runs(flags, places))
        total += int(places[-1])
        asked += sum(end - begin for begin, end in cuts[-1])
    if connection.vendor != "postgresql" or asked > total * _WHOLE:
        whole = _whole(rows, [number for number, many in enumerate(cuts) if many])
        return [b"".join(whole[number][begin:end] for begin, end in many) for number, many in enumerate(cuts)]
    return _in_parts(rows, cuts)


def _runs(flags: Flags, places: Ints) -> _Cuts:
    """The bytes of every run of wanted cells."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    borders = places[edges].tolist()
    return [(begin, end) for begin, end in zip(borders[::2], borders[1::2], strict=True) if end > begin]


def _whole(rows: Rows, numbers: Sequence[int]) -> dict[int, bytes]:
    by_pk = {rows.pks[number]: number for number in numbers}
    table = TABLES[rows.level]._default_manager.order_by()
    answer: dict[int, bytes] = {}
    pks = list(by_pk)
    for start in range(0, len(pks), 500):
        for pk, records in read_rows(table.filter(pk__in=pks[start : start + 500]).values_list("pk", "records")):
            answer[by_pk[pk]] = bytes(records)
    return answer


def _in_parts(rows: Rows, cuts: Sequence[_Cuts]) -> list[bytes]:
    reads = [(number, *span) for number, many in enumerate(cuts) for span in _spans(many)]
    if not reads:
        return [b""] * len(cuts)
    table = connection.ops.quote_name(TABLES[rows.level]._meta.db_table)
    statement = (
        "SELECT substr(stored.records, piece.start, piece.length) FROM unnest(%s::bigint[], %s::int[], %s::int[])"  # noqa: S608 - our table
        f" WITH ORDINALITY AS piece (id, start, length, place) JOIN {table} AS stored ON stored.id = piece.id"
        " ORDER BY piece.place"
    )
    asked: list[Any] = [
        [rows.pks[number] for number, _, _ in reads],
        [begin + 1 for _, begin, _ in reads],
        [end - begin for _, begin, end in reads],
    ]
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        texts = [text for (text,) in cursor.execute(statement.encode(), asked, binary=True).fetchall()]
    found = iter(zip(reads, texts, strict=True))
    return [b"".join(_cut(many, found)) for many in cuts]


def _spans(cuts: _Cuts) -> _Cuts:
    """Runs with little between them as one."""
    answer: _Cuts = []
    for begin, end in cuts:
        if answer and begin - answer[-1][1] < _GAP:
            answer[-1] = (answer[-1][0], end)
        else:
            answer.append((begin, end))
    return answer


def _cut(cuts: _Cuts, found: Iterator[tuple[tuple[int, int, int], bytes]]) -> Iterator[bytes]:
    start, end, text = 0, 0, b""
    for begin, stop in cuts:
        if begin >= end:
            (_, start, end), text = next(found)
        yield text[begin - start : stop - start]
