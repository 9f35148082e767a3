"""The price book of an organization in memory, loaded once per version, answering in microseconds."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet, Subquery

from ingestion.models import PriceEntry
from ingestion.models.prices import MANUAL
from ingestion.pricing.arithmetic import NO_RATES, STANDARD, Entry, Rates, rates

_COUNT_SECONDS: Final = 5.0
_Newest = tuple[tuple[int, datetime], ...]


class PriceBook:
    """All entries that can price an organization's requests. `version` = largest id among them, 0 for none."""

    def __init__(self, entries: Iterable[Entry], version: int) -> None:
        self.version = version
        self._exact: dict[str, list[Entry]] = {}
        self._patterns: list[Entry] = []
        self._sheets: dict[tuple[str, str, str], _Sheet] = {}
        for entry in entries:
            if entry.match_kind == "exact":
                self._exact.setdefault(entry.model_match, []).append(entry)
            else:
                self._patterns.append(entry)

    def rates(
        self, provider: str | None, model: str | None, tier: str | None, input_tokens: int, at: datetime
    ) -> Rates:
        """Prices of a request; without a model there are none."""
        if not model:
            return NO_RATES
        key = (provider or "", model, tier or STANDARD)
        sheet = self._sheets.get(key)
        if sheet is None:
            sheet = self._sheets[key] = self._sheet(*key)
        return sheet.at(input_tokens, at)

    def _sheet(self, provider: str, model: str, tier: str) -> "_Sheet":
        name = model.lower()
        candidates = (*self._exact.get(name, ()), *self._patterns)
        return _Sheet([entry for entry in candidates if entry.matches(provider, name)], tier)


class _Sheet:
    """Prices of one model and service tier: constant between the instants and context limits of its entries."""

    __slots__ = ("_cells", "_contexts", "_entries", "_instants", "_tier")

    def __init__(self, entries: Sequence[Entry], tier: str) -> None:
        self._entries, self._tier = entries, tier
        self._instants = sorted({entry.effective_from for entry in entries})
        # 200,000 tokens are still the lower tier: a limit counts from one token above it.
        self._contexts = sorted({entry.context_above + 1 for entry in entries})
        self._cells: dict[tuple[int, int], Rates] = {}

    def at(self, input_tokens: int, at: datetime) -> Rates:
        cell = (bisect_right(self._instants, at), bisect_right(self._contexts, input_tokens))
        found = self._cells.get(cell)
        if found is None:
            found = self._cells[cell] = rates(self._entries, self._tier, input_tokens, at)
        return found


@dataclass(slots=True)
class _Loaded:
    """A book with the newest entries it knows, the number of all of them, and when they were last counted."""

    newest: _Newest
    entries: int
    counted_at: float
    book: PriceBook


_LOADED: Final[dict[int, _Loaded]] = {}


def version(organization_id: int) -> int:
    """The version of the book: the largest id among the organization's entries and the global ones, 0 when empty."""
    return max((pk for pk, _ in _newest(organization_id)), default=0)


def price_book(organization_id: int) -> PriceBook:
    """The book as it is now. Reads the entries again only when there are new ones."""
    entries = PriceEntry.objects.filter(Q(organization=organization_id) | Q(organization=None))
    if connection.in_atomic_block:  # what is seen here may yet be rolled back
        return _read(entries)
    newest, known = _newest(organization_id), _LOADED.get(organization_id)
    if known and known.newest == newest and _is_whole(known, entries):
        return known.book
    counted = time.monotonic()
    loaded = _Loaded(newest, entries.count(), counted, _read(entries))
    _LOADED[organization_id] = loaded
    return loaded.book


def _newest(organization_id: int) -> _Newest:
    """Id and time of the organization's last entry and of everybody's: two look-ups in an index."""
    last = PriceEntry.objects.order_by("-id").values("id")
    own, shared = last.filter(organization=organization_id)[:1], last.filter(organization=None)[:1]
    entries = PriceEntry.objects.filter(Q(id=Subquery(own)) | Q(id=Subquery(shared)))
    return tuple(entries.order_by("id").values_list("id", "created_at"))


def _is_whole(known: _Loaded, entries: QuerySet[PriceEntry]) -> bool:
    """Whether no entry is missing that got its id before the newest one and was committed after it.

    Counting tens of thousands of entries takes longer than storing a batch, so it is done once in a few seconds.
    """
    if time.monotonic() - known.counted_at < _COUNT_SECONDS:
        return True
    known.counted_at = time.monotonic()
    return entries.count() == known.entries


def _read(entries: QuerySet[PriceEntry]) -> PriceBook:
    found = [_entry(row) for row in entries.values_list(*_COLUMNS)]
    return PriceBook(found, max((entry.order for entry in found), default=0))


_COLUMNS: Final = (
    "organization_id",
    "source",
    "provider",
    "match_kind",
    "model_match",
    "token_class",
    "context_above",
    "service_tier",
    "price",
    "effective_from",
    "id",
)


def entry_of(stored: PriceEntry) -> Entry:
    """A stored entry as resolution sees it."""
    return _entry(tuple(getattr(stored, name) for name in _COLUMNS))


def _entry(row: tuple[Any, ...]) -> Entry:
    organization_id, source, provider, kind, match, *rest = row
    catalogue = "" if source == MANUAL else source.partition("@")[0]
    rest.append(catalogue)
    return Entry(organization_id is not None, source == MANUAL, provider.lower(), kind, match.lower(), *rest)
