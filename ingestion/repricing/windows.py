"""Windows of facts: read, priced as at ingest, compared, and split into the parts that are written one by one."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import sqrt
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from ingestion.models import OVERFLOW, LLMModel, LLMRequest
from ingestion.pipeline import Owners, price
from ingestion.pricing.book import PriceBook
from ingestion.pricing.loading import price_book
from ingestion.pricing.settling import Settled
from ingestion.pricing.tokens import split
from ingestion.records import TOKEN_FIELDS, Attribution, RequestRecord
from ingestion.repricing import storage
from ingestion.repricing.closed import closed_months
from ingestion.repricing.selection import Selection
from ingestion.repricing.storage import Change, Cursor
from ingestion.repricing.tally import OTHER, TOO_LARGE, Key, Sums, Tally
from ingestion.watermarks import kept
from ingestion.writer.bulk import Row

# Facts of a window and the transactions in which it is written. PostgreSQL keeps the old row until nobody can see it:
# neighbours that change in different transactions find its place free, stay on their page and touch no index. The
# first part finds the room that pages are left with (migration 0011), each other part that of the one before. SQLite
# changes rows where they are, and one transaction keeps every other writer waiting.
WINDOWS: Final = {"postgresql": 60_000, "sqlite": 2_000}
PARTS: Final = {"postgresql": 16, "sqlite": 1}
STRIDES: Final = tuple(int(irrational % 1 * 2**32) for irrational in (sqrt(5) / 2 + 0.5, sqrt(2), sqrt(3), sqrt(7)))
"""A run has one of them, by its id; see `deal`."""
_FRACTION: Final = 2**32 - 1
_START, _HOUR, _MODEL, _TEAM, _ACCOUNT, _TIER, _OPERATION, _FAILED, _UNITS = map(
    storage.COLUMNS.index,
    (
        *("started_at", "hour_start", "model_id", "team_id", "virtual_account_id"),
        *("service_tier", "operation", "failed", "units"),
    ),
)
_TOKENS: Final = slice(storage.COLUMNS.index(TOKEN_FIELDS[0]), _UNITS)
_COSTS: Final = slice(storage.COLUMNS.index("cost_state"), None)
_change: Final = tuple.__new__  # not by the class itself, which takes three times as long


class Place(NamedTuple):
    """How far a run is: everything until `after` is done, and the first parts of a window that ends at `until`."""

    after: Cursor | None = None
    until: Cursor | None = None
    part: int = 0


class Part(NamedTuple):
    """Facts of a window that are written together."""

    tally: Tally
    changes: Sequence[Change]
    hours: frozenset[datetime]


class Window(NamedTuple):
    """Facts in the order of time, from a place on; no `until` = there are none. `version` is that of their prices."""

    after: Cursor | None
    until: Cursor | None
    parts: Sequence[Part | None]
    version: int


class Read(NamedTuple):
    """The facts of a window as they were found, with the book that prices them."""

    place: Place
    book: PriceBook
    rows: Sequence[Row]


class Repricing:
    """A selection with what is the same for all of its windows: the book, names, closed months."""

    def __init__(self, selection: Selection, run_id: int = 0) -> None:
        self._stride = STRIDES[run_id % len(STRIDES)]
        self.organization_id = selection.organization.pk
        self._facts = selection.facts()
        self._record = RequestRecord(request_id="", started_at=selection.period.start)
        self._owners: dict[tuple[int | None, int | None], Owners] = {}
        self._models: dict[int, tuple[str | None, str]] = {}
        self._months = closed_months(self.organization_id)
        self._borders = [month.start for _, month in self._months]

    def count(self) -> int:
        """How many facts there are to look at."""
        return self._kept().count()

    def _kept(self) -> "QuerySet[LLMRequest]":
        """Those that are not being removed: the aggregates of the others stay as they are."""
        return self._facts.filter(hour_start__gte=kept(self.organization_id).requests)

    def read(self, place: Place) -> Read:
        """The facts at the place, and everything else that the database has to say of them."""
        book = price_book(self.organization_id)
        rows = storage.read(self._kept(), place.after, place.until, WINDOWS[connection.vendor])
        self._know_models(row[_MODEL] for row in rows)
        return Read(place, book, rows)

    def window(self, read: Read) -> Window:
        """The facts with the prices of now; nothing is read or written. Parts that are done are left out."""
        (place, book, rows), count = read, PARTS[connection.vendor]
        if not rows:
            return Window(place.after, place.until, [None] * count if place.until else [], book.version)
        parts = deal(rows, count, self._stride)
        until = place.until or Cursor(rows[-1][_START], rows[-1][0])
        compared = [self._compare(part, book) if part and n >= place.part else None for n, part in enumerate(parts)]
        return Window(place.after, until, compared, book.version)

    def store(self, part: Part, version: int, now: datetime) -> bool:
        """Write the changes and the hours that they touch, in one transaction; False when facts are gone."""
        if not part.changes:
            return True
        storage.log_hours(self.organization_id, part.hours, now)
        return storage.write(part.changes, version) == len(part.changes)

    def _compare(self, rows: Sequence[Row], book: PriceBook) -> Part:
        tally, changes, hours, cells = Tally(), list[Change](), set[datetime](), dict[Key, Sums]()
        position, month = self._month_of(rows[0][_START])
        together = self._month_of(rows[-1][_START]) == (position, month)  # rows are in the order of time
        last_hour = None
        for row in rows:
            state, cost, listed, contracted, reported = row[_COSTS]
            settled, kept = self._settle(row, reported, book)
            if kept:
                tally.kept[kept] = tally.kept.get(kept, 0) + 1
            if not together:
                _, month = self._month_of(row[_START])
            new_state = state if settled is None else settled.state._value_
            key = (row[_MODEL], row[_TEAM], state, new_state, month)
            sums = cells.get(key)
            if sums is None:
                sums = cells[key] = Sums()
            sums.requests += 1
            sums.before += cost or 0
            new = () if settled is None else (settled.cost, settled.list_cost, settled.contracted_cost)
            if settled is None or (new == (cost, listed, contracted) and new_state == state):
                sums.after += cost or 0
                continue
            sums.after += settled.cost or 0
            sums.changed += 1
            changes.append(_change(Change, (row[0], new_state, *new)))
            if row[_HOUR] != last_hour:  # the hash of a time takes ten times as long
                hours.add(last_hour := row[_HOUR])
        for key, sums in cells.items():
            tally.count(key, sums)
        return Part(tally, changes, frozenset(hours))

    def _settle(self, row: Row, reported: int | None, book: PriceBook) -> tuple[Settled | None, str]:
        """The cost by the arithmetic of ingest, or None and why the fact keeps what it has."""
        provider, model = self._models[row[_MODEL]] if row[_MODEL] is not None else (None, None)
        if model == OVERFLOW:
            return None, OTHER
        record, whose = self._record, (row[_TEAM], row[_ACCOUNT])
        _fill(record, row, provider, model)
        owners = self._owners.get(whose)
        if owners is None:
            owners = self._owners[whose] = Owners(None, row[_ACCOUNT], row[_TEAM], Attribution.RECORD)
        settled = price(record, split(record)[0], book, reported, owners, is_failed=row[_FAILED])
        return (settled, "") if settled.fits else (None, TOO_LARGE)

    def _month_of(self, instant: datetime) -> tuple[int, str]:
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


def deal(rows: Iterable[Row], count: int, stride: int) -> list[list[Row]]:
    """Rows by the fraction of id times stride: of neighbours, which are on one page, every part gets as many.

    Rows that had to move lie on a page with others of their part; with another stride they are dealt apart.
    """
    parts: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        parts[(row[0] * stride & _FRACTION) * count >> 32].append(row)
    return parts


def _fill(record: RequestRecord, row: Row, provider: str | None, model: str | None) -> None:
    """The stored columns that decide a cost, as ingest had them before it forgot the rest.

    One record for all rows: making a new one takes longer than pricing it.
    """
    record.model, record.provider, record.started_at = model, provider, row[_START]
    record.service_tier, record.operation, record.units = row[_TIER], row[_OPERATION], row[_UNITS] or {}
    (
        record.input_tokens,
        record.output_tokens,
        record.cache_read_tokens,
        record.cache_write_tokens,
        record.cache_write_1h_tokens,
        record.reasoning_tokens,
        record.audio_input_tokens,
        record.audio_output_tokens,
        record.image_input_tokens,
        record.image_output_tokens,
    ) = row[_TOKENS]
