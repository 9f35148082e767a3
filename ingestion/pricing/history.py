"""Price books of the past: each stored request is explained by the book whose version it carries."""

from bisect import bisect_right
from collections import OrderedDict
from datetime import datetime
from typing import Final

from django.db.models import Q

from ingestion.models import CostPolicy, PriceAdjustment, PriceEntry
from ingestion.pricing import loading
from ingestion.pricing.book import PriceBook

_MOST: Final = 8
"""Books in memory; a day is priced by few."""


class History:
    """The books that an organization has had, read when they are asked for."""

    def __init__(self, organization_id: int) -> None:
        self._organization_id = organization_id
        self._versions = loading.versions(organization_id)
        self._numbers = [version for version, _ in self._versions]
        self._books: OrderedDict[int, PriceBook] = OrderedDict()

    def at(self, version: int) -> PriceBook:
        """The book of that version; one that is not known (rows of it were deleted since) is the last before it."""
        book = self._books.get(version)
        if book is None:
            place = bisect_right(self._numbers, version) - 1
            upto = self._versions[place][1] if place >= 0 else (0,) * loading.TABLES
            book = self._books[version] = loading.book_of(self._organization_id, version, upto)
            if len(self._books) > _MOST:
                self._books.popitem(last=False)
        self._books.move_to_end(version)
        return book


def instants(organization_id: int) -> list[datetime]:
    """When some price or term begins, oldest first: between two of them all of them are constant."""
    found = set[datetime]()
    for table in (PriceEntry, PriceAdjustment, CostPolicy):
        rows = table._default_manager.filter(Q(organization=organization_id) | Q(organization=None)).order_by()
        found.update(rows.values_list("effective_from", flat=True).distinct())
    return sorted(found)


def contexts(organization_id: int) -> list[int]:
    """Every number of input tokens above which some price changes."""
    rows = PriceEntry.objects.filter(Q(organization=organization_id) | Q(organization=None), context_above__gt=0)
    return sorted(rows.order_by().values_list("context_above", flat=True).distinct())
