"""The price book of an organization in memory, loaded once per version, answering in microseconds."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Max, Q

from ingestion.models import PriceEntry
from ingestion.pricing.arithmetic import NO_RATES, STANDARD, Entry, Rates, rates

_Fingerprint = tuple[object, ...]
_LOADED: Final[dict[int, tuple[_Fingerprint, "PriceBook"]]] = {}


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


def version(organization_id: int) -> int:
    """The version of the book: the largest id among the organization's entries and the global ones, 0 when empty."""
    entries = PriceEntry.objects.filter(Q(organization=organization_id) | Q(organization=None))
    return entries.aggregate(version=Max("id"))["version"] or 0


def price_book(organization_id: int) -> PriceBook:
    """The book as it is now. Reads the entries again only when there are new ones."""
    entries = PriceEntry.objects.filter(Q(organization=organization_id) | Q(organization=None))
    newest = entries.aggregate(version=Max("id"), entries=Count("id"), created=Max("created_at"))
    fingerprint = tuple(newest.values())
    known = _LOADED.get(organization_id)
    if known and known[0] == fingerprint and not connection.in_atomic_block:
        return known[1]
    book = PriceBook((_entry(row) for row in entries.values_list(*_COLUMNS)), newest["version"] or 0)
    if not connection.in_atomic_block:  # inside a transaction the entries may yet be rolled back
        _LOADED[organization_id] = (fingerprint, book)
    return book


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


def _entry(row: tuple[Any, ...]) -> Entry:
    organization_id, source, provider, kind, match, *rest = row
    return Entry(organization_id is not None, source == "manual", provider.lower(), kind, match.lower(), *rest)
