"""One chunk of facts: read, priced as at ingest, compared, and written where something differs."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from ingestion.models import OVERFLOW, LLMModel
from ingestion.pipeline import Draft, price
from ingestion.pricing.arithmetic import MAX_PICODOLLARS, Settled
from ingestion.pricing.book import PriceBook
from ingestion.pricing.tokens import split
from ingestion.records import RequestRecord
from ingestion.repricing import storage
from ingestion.repricing.closed import closed_months
from ingestion.repricing.selection import Selection
from ingestion.repricing.storage import Change, Cursor
from ingestion.repricing.tally import NEWER, OTHER, TOO_LARGE, Key, Sums, Tally

# Facts per transaction; one of SQLite keeps every other writer waiting.
SIZES: Final = {"postgresql": 20_000, "sqlite": 2_000}
_START: Final = storage.COLUMNS.index("started_at")


class Chunk(NamedTuple):
    """What a chunk of facts turned out to be; `cursor` None = there was nothing left."""

    cursor: Cursor | None
    tally: Tally
    changes: Sequence[Change]
    hours: frozenset[datetime]


class Repricing:
    """A selection with everything that is the same for all of its chunks: the book, names, closed months."""

    def __init__(self, selection: Selection, book: PriceBook) -> None:
        self.organization_id = selection.organization.pk
        self.book = book
        self._facts = selection.facts()
        self._models: dict[int, tuple[str | None, str]] = {}
        months = closed_months(self.organization_id)
        self._months = months
        self._borders = [month.start for _, month in months]

    def count(self) -> int:
        """How many facts there are to look at."""
        return self._facts.count()

    def chunk(self, after: Cursor | None) -> Chunk:
        """The facts behind the cursor with their prices of now; nothing is written."""
        rows = storage.read(self._facts, after, SIZES[connection.vendor])
        if not rows:
            return Chunk(None, Tally(), (), frozenset())
        self._know_models(row[3] for row in rows)
        last = rows[-1]
        return Chunk(Cursor(last[1], last[0]), *self._compare(rows))

    def store(self, chunk: Chunk, now: datetime) -> None:
        """Write the changes and the hours that they touch; call it in the transaction that read the chunk."""
        if chunk.changes:
            storage.write(chunk.changes, self.book.version)
            storage.log_hours(self.organization_id, chunk.hours, now)

    def _compare(self, rows: Sequence[tuple[Any, ...]]) -> tuple[Tally, list[Change], frozenset[datetime]]:
        tally, changes, hours, cells = Tally(), list[Change](), set[datetime](), dict[Key, Sums]()
        place, month = self._place(rows[0][_START])
        together = self._place(rows[-1][_START]) == (place, month)  # rows are in the order of time
        for row in rows:
            pk, started_at, hour, model_id, team_id, *_, state, cost, listed, _, version = row
            settled, kept = self._settle(row, version)
            if kept:
                tally.kept[kept] = tally.kept.get(kept, 0) + 1
            if not together:
                _, month = self._place(started_at)
            new_state = state if settled is None else settled.state.value
            key = (model_id, team_id, state, new_state, month)
            sums = cells.get(key)
            if sums is None:
                sums = cells[key] = Sums()
            sums.requests += 1
            sums.before += cost or 0
            if settled is None or (settled.cost == cost and settled.list_cost == listed and new_state == state):
                sums.after += cost or 0
                continue
            sums.after += settled.cost or 0
            sums.changed += 1
            changes.append(Change(pk, new_state, settled.cost, settled.list_cost))
            hours.add(hour)
        for key, sums in cells.items():
            tally.count(key, sums)
        return tally, changes, frozenset(hours)

    def _settle(self, row: tuple[Any, ...], version: int) -> tuple[Settled | None, str]:
        """The cost by the arithmetic of ingest, or None and why the fact keeps what it has."""
        provider, model = self._models[row[3]] if row[3] is not None else (None, None)
        if model == OVERFLOW:
            return None, OTHER
        if version > self.book.version:
            return None, NEWER
        settled = price(_draft(row, provider, model), self.book, row[-2])
        if settled.cost is not None and settled.cost > MAX_PICODOLLARS:
            return None, TOO_LARGE
        return settled, ""

    def _place(self, instant: datetime) -> tuple[int, str]:
        """How many closed months have begun by then, and the name of the one in which it lies, or nothing."""
        position = bisect_right(self._borders, instant)
        if not position:
            return 0, ""
        name, borders = self._months[position - 1]
        return position, name if instant in borders else ""

    def _know_models(self, ids: Iterable[int | None]) -> None:
        new = {pk for pk in ids if pk is not None} - self._models.keys()
        if new:
            for pk, provider, name in LLMModel.objects.filter(pk__in=new).values_list("pk", "provider", "name"):
                self._models[pk] = (provider or None, name)


def _draft(row: tuple[Any, ...], provider: str | None, model: str | None) -> Draft:
    """The stored columns that decide a cost, as ingest had them before it forgot the rest."""
    (_, started_at, hour, _, _, tier, operation, failed, *tokens, _, _, _, _, _) = row
    into, out, read, write, write_1h, reasoning, audio_in, audio_out = tokens
    record = RequestRecord(
        request_id="",
        started_at=started_at,
        model=model,
        provider=provider,
        input_tokens=into,
        output_tokens=out,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=write_1h,
        reasoning_tokens=reasoning,
        audio_input_tokens=audio_in,
        audio_output_tokens=audio_out,
        service_tier=tier,
        operation=operation,
    )
    quantities, anomaly = split(record)
    return Draft(0, record, b"", hour, bool(failed), None, None, quantities, anomaly)
