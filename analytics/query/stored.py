"""Aggregates as they are stored, for a question: the packed heads of a grain, and of the records only what is drawn."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import F, Q

from analytics.catalog.columns import Ints
from analytics.cells.expressions import EpochSeconds, OneOf
from analytics.cells.storage import Kept, Records
from analytics.models import DayAggregate, HourAggregate
from analytics.query.blocks import MEMORY, Block
from analytics.query.matching import Flags
from analytics.query.snapshot import once
from ingestion.writer.bulk import driver_cursor, read_rows
from metricsportal.lib.timerange import TimeRange

TABLES: Final = {"day": DayAggregate, "hour": HourAggregate}
_BLOCK: Final = {"day": 32 * 86_400, "hour": 86_400}
"""Seconds of the rows that are remembered together."""
_GAP: Final = 2_000
"""Bytes between two pieces that are read along with them: PostgreSQL keeps long values in chunks of about that size."""
_PIECE: Final = 20_000
"""Bytes that PostgreSQL hands over in the time that looking up one more piece takes."""


class Rows:
    """The rows of one grain in some ranges of time: heads at once, records when asked for."""

    def __init__(self, level: str, blocks: Sequence[Block]) -> None:
        self._level, self._blocks = level, blocks
        self.kept = Kept([head for one in blocks for head in one.heads])
        self.size = self.kept.size
        self.seconds: Ints = np.concatenate([np.empty(0, dtype=np.int64), *(one.seconds for one in blocks)])
        self._records: tuple[Flags, Records] | None = None

    def records(self, wanted: Flags) -> Records:
        """Histogram entries of the wanted cells, read once for all histograms."""
        if self._records is None or not np.array_equal(self._records[0], wanted):
            self._records = (wanted, self._of_blocks(wanted) if self._blocks else Records.joined([]))
        return self._records[1]

    def _of_blocks(self, wanted: Flags) -> Records:
        borders = np.cumsum([one.size for one in self._blocks])[:-1]
        asked = list(zip(self._blocks, np.split(wanted, borders), strict=True))
        known = [block.records(flags) for block, flags in asked]
        missing = [pair for pair, found in zip(asked, known, strict=True) if found is None]
        read = _read(self._level, missing)
        for (block, flags), found in zip(missing, read, strict=True):
            block.remember(flags, found)
        rest = iter(read)
        return Records.joined([next(rest) if found is None else found for found in known])


def _read(level: str, asked: Sequence[tuple[Block, Flags]]) -> list[Records]:
    """Histogram entries of the wanted cells of every block."""
    if not asked:
        return []
    kept = Kept([head for block, _ in asked for head in block.heads])
    pks = [pk for block, _ in asked for pk in block.pks]
    wanted = np.concatenate([flags for _, flags in asked])
    found = kept.records(_pieces(level, pks, kept, wanted), wanted)
    return found.split([int(flags.sum()) for _, flags in asked])


@once
def rows_of(level: str, organization_id: int, grain: str, key_id: int | None, ranges: tuple[TimeRange, ...]) -> Rows:
    """The rows of a grain at `hour` or `day` that start in the ranges, in order."""
    within = Q(pk__in=[])
    for one in ranges:
        within |= Q(bucket_start__gte=one.start, bucket_start__lt=one.end)
    rows = TABLES[level]._default_manager.filter(organization_id=organization_id, grain=grain, metadata_key_id=key_id)
    ordered = rows.filter(within).order_by("bucket_start")
    while True:
        found = read_rows(ordered.values_list(EpochSeconds(F("bucket_start")), "pk", "stamp"))
        by_block = [tuple(many) for _, many in groupby(found, key=lambda row: row[0] // _BLOCK[level])]
        known = {many: block for many in by_block if (block := MEMORY.get((level, many)))}
        read = _unpacked(level, [many for many in by_block if many not in known])
        if read is not None:
            return Rows(level, [(known | read)[many] for many in by_block])


_Known = tuple[tuple[int, int, int], ...]
"""Rows of a block: second, id and stamp."""


def _unpacked(level: str, wanted: Sequence[_Known]) -> dict[_Known, Block] | None:
    """The blocks, or None when a row was replaced since it was found: in a transaction without a view of its own."""
    pks = [pk for many in wanted for _, pk, _ in many]
    if not pks:
        return {}
    found = TABLES[level]._default_manager.filter(OneOf(F("pk"), pks)).order_by()
    heads = {pk: bytes(head) for pk, head in read_rows(found.values_list("pk", "head"))}
    if len(heads) < len(pks):
        return None
    answer = {}
    for many in wanted:
        seconds, own, _ = zip(*many, strict=True)
        answer[many] = Block(own, seconds, [heads[pk] for pk in own])
        MEMORY.add((level, many), answer[many])
    return answer


_Cuts = list[tuple[int, int]]


def _pieces(level: str, pks: Sequence[int], kept: Kept, wanted: Flags) -> list[bytes]:
    """Per row the records of its wanted cells, joined."""
    numbers, (begins, ends) = kept.numbers, kept.spans
    border = np.diff(numbers, prepend=-1) > 0
    opening = wanted & (border | ~np.roll(wanted, 1))
    closing = wanted & (np.roll(border, -1) | ~np.roll(wanted, -1))
    cuts: list[_Cuts] = [[] for _ in pks]
    runs = zip(numbers[opening].tolist(), begins[opening].tolist(), ends[closing].tolist(), strict=True)
    asked = 0
    for number, begin, end in runs:
        if end > begin:
            cuts[number].append((begin, end))
            asked += end - begin
    reads = [(number, *span) for number, many in enumerate(cuts) for span in _spans(many)]
    if connection.vendor == "postgresql" and asked + len(reads) * _PIECE < int((ends - begins).sum()):
        return _in_parts(level, pks, cuts, reads)
    whole = _whole(level, {pks[number]: number for number, many in enumerate(cuts) if many})
    return [b"".join(whole[number][begin:end] for begin, end in many) for number, many in enumerate(cuts)]


def _whole(level: str, numbers: Mapping[int, int]) -> dict[int, bytes]:
    """All records of rows, by the rows' numbers. `numbers`: by id."""
    found = TABLES[level]._default_manager.filter(OneOf(F("pk"), list(numbers))).order_by()
    return {numbers[pk]: bytes(records) for pk, records in read_rows(found.values_list("pk", "records"))}


def _in_parts(
    level: str, pks: Sequence[int], cuts: Sequence[_Cuts], reads: Sequence[tuple[int, int, int]]
) -> list[bytes]:
    table = connection.ops.quote_name(TABLES[level]._meta.db_table)
    statement = (
        "SELECT substr(stored.records, piece.start, piece.length) FROM unnest(%s::bigint[], %s::int[], %s::int[])"  # noqa: S608 - our table
        f" WITH ORDINALITY AS piece (id, start, length, place) JOIN {table} AS stored ON stored.id = piece.id"
        " ORDER BY piece.place"
    )
    asked: list[Any] = [
        [pks[number] for number, _, _ in reads],
        [begin + 1 for _, begin, _ in reads],
        [end - begin for _, begin, end in reads],
    ]
    with driver_cursor() as cursor:
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
