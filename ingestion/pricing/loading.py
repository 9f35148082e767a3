"""The price book of an organization from the database, loaded once per version, answering in microseconds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from django.db.models import Model, Q, QuerySet, Subquery, Value

from ingestion.models import CostPolicy, ModelAlias, PriceAdjustment, PriceEntry
from ingestion.models.prices import MANUAL
from ingestion.pricing.arithmetic import Entry
from ingestion.pricing.book import Agreement, PriceBook
from ingestion.pricing.matching import Pattern
from ingestion.pricing.terms import Adjustment, Alias, Policy

_COUNT_SECONDS: Final = 5.0
_TABLES: Final[tuple[type[Model], ...]] = (PriceEntry, PriceAdjustment, ModelAlias, CostPolicy)
"""Where a price can come from; all of them are append-only."""
TABLES: Final = len(_TABLES)
_Newest = tuple[tuple[int, int, object], ...]
"""Table, id and time of the last row of each table, that of the organization and that of everybody."""


@dataclass(slots=True)
class _Loaded:
    """A book with the newest rows it knows, the number of all of them, and when they were last counted."""

    newest: _Newest
    rows: int
    counted_at: float
    book: PriceBook


_LOADED: Final[dict[int, _Loaded]] = {}


def version(organization_id: int) -> int:
    """The version of the book: the largest ids of its entries and terms, the global ones included, added up.

    Ids only grow, so it grows with every row. 0 when there is none.
    """
    return _version(_newest(organization_id))


def price_book(organization_id: int) -> PriceBook:
    """The book as it is now. Reads the rows again only when there are new ones."""
    newest = _newest(organization_id)
    if connection.in_atomic_block:  # what is seen here may yet be rolled back
        return _read(organization_id, _version(newest))
    known = _LOADED.get(organization_id)
    if known and known.newest == newest and _is_whole(known, organization_id):
        return known.book
    counted = time.monotonic()
    loaded = _Loaded(newest, _count(organization_id), counted, _read(organization_id, _version(newest)))
    _LOADED[organization_id] = loaded
    return loaded.book


def _version(newest: _Newest) -> int:
    largest: dict[int, int] = {}
    for table, pk, _ in newest:
        largest[table] = max(pk, largest.get(table, 0))
    return sum(largest.values())


def _rows(table: type[Model], organization_id: int, upto: "Upto | None" = None) -> QuerySet[Any]:
    rows = table._default_manager.filter(Q(organization=organization_id) | Q(organization=None)).order_by()
    return rows if upto is None else rows.filter(pk__lte=upto[_TABLES.index(table)])


def _newest(organization_id: int) -> _Newest:
    """Two look-ups in an index per table, all in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(*_newest_statement(organization_id))
        return tuple(sorted(cursor.fetchall()))


@lru_cache(maxsize=1_000)
def _newest_statement(organization_id: int) -> tuple[str, tuple[Any, ...]]:
    """The ORM takes longer to write it than the database to answer it."""
    parts = []
    for number, table in enumerate(_TABLES):
        last = table._default_manager.order_by("-id").values("id")
        own, shared = last.filter(organization=organization_id)[:1], last.filter(organization=None)[:1]
        found = table._default_manager.filter(Q(id=Subquery(own)) | Q(id=Subquery(shared))).order_by()
        parts.append(found.annotate(table=Value(number)).values_list("table", "id", "created_at"))
    written: tuple[str, tuple[Any, ...]] = parts[0].union(*parts[1:], all=True).query.sql_with_params()
    return written


def _is_whole(known: _Loaded, organization_id: int) -> bool:
    """Whether no row is missing that got its id before the newest one and was committed after it.

    Counting tens of thousands of entries takes longer than storing a batch, so it is done once in a few seconds.
    """
    if time.monotonic() - known.counted_at < _COUNT_SECONDS:
        return True
    known.counted_at = time.monotonic()
    return _count(organization_id) == known.rows


def _count(organization_id: int) -> int:
    return sum(_rows(table, organization_id).count() for table in _TABLES)


def _read(organization_id: int, version: int, upto: "Upto | None" = None) -> PriceBook:
    entries = [_entry(row) for row in _rows(PriceEntry, organization_id, upto).values_list(*_COLUMNS)]
    return PriceBook(entries, version, agreement(organization_id, upto))


def agreement(organization_id: int, upto: "Upto | None" = None) -> Agreement:
    """What the organization agreed beside prices, as it is now, or as it was."""
    return Agreement(
        _adjustments(organization_id, upto), _aliases(organization_id, upto), _policies(organization_id, upto)
    )


Upto = tuple[int, ...]
"""The largest id of each table in a book of the past, in the order of the tables."""


def versions(organization_id: int) -> list[tuple[int, Upto]]:
    """Every version that the book has had, oldest first. Rows that came at one instant came together."""
    rows = [
        (moment, place, pk)
        for place, table in enumerate(_TABLES)
        for moment, pk in _rows(table, organization_id).values_list("created_at", "pk")
    ]
    largest, answer = [0] * len(_TABLES), list[tuple[int, Upto]]()
    for _, place, pk in sorted(rows):
        largest[place] = max(largest[place], pk)
        answer.append((sum(largest), tuple(largest)))
    return answer


def book_of(organization_id: int, version: int, upto: Upto) -> PriceBook:
    """The book as it was at one of its `versions`."""
    return _read(organization_id, version, upto)


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
    "team_id",
    "virtual_account_id",
)


def entry_of(stored: PriceEntry) -> Entry:
    """A stored entry as resolution sees it."""
    return _entry(tuple(getattr(stored, name) for name in _COLUMNS))


def _entry(row: tuple[Any, ...]) -> Entry:
    organization_id, source, provider, kind, match, *rest, team_id, account_id = row
    catalogue = "" if source == MANUAL else source.partition("@")[0]
    line: tuple[Any, ...] = (provider.lower(), kind, match.lower(), *rest, catalogue, team_id, account_id)
    return Entry(organization_id is not None, source == MANUAL, *line)


_PATTERN: Final = ("match_kind", "model_match")


def _adjustments(organization_id: int, upto: Upto | None) -> Sequence[Adjustment]:
    columns = ("kind", "team_id", "provider", *_PATTERN, "percent", "effective_from", "id")
    rows = _rows(PriceAdjustment, organization_id, upto).values_list(*columns)
    return [
        Adjustment(kind, team_id, Pattern(provider.lower(), match_kind, match.lower()), *rest)
        for kind, team_id, provider, match_kind, match, *rest in rows
    ]


def _aliases(organization_id: int, upto: Upto | None) -> Sequence[Alias]:
    columns = ("organization_id", *_PATTERN, "provider", "model", "id")
    rows = _rows(ModelAlias, organization_id, upto).values_list(*columns)
    return [
        Alias(owner is not None, Pattern("*", match_kind, match.lower()), provider.lower(), model.lower(), pk)
        for owner, match_kind, match, provider, model, pk in rows
    ]


def _policies(organization_id: int, upto: Upto | None) -> Sequence[Policy]:
    columns = ("policy", "adjust_reported", "effective_from", "id")
    return [Policy(*row) for row in _rows(CostPolicy, organization_id, upto).values_list(*columns)]
