"""What an import would append: the fewest entries after which the book says what the catalogue says. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from ingestion.pricing.catalogues.base import Catalogue, Key, Point


class Kind(StrEnum):
    """What an appended entry does."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


class Change(NamedTuple):
    """One entry to append; `old` is the price in force at that instant until now."""

    kind: Kind
    key: Key
    since: datetime
    old: Decimal | None
    new: Decimal | None


class Price(NamedTuple):
    """A price from an instant on."""

    since: datetime
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Diff:
    """All entries to append, and how many lines of the catalogue need none."""

    changes: tuple[Change, ...]
    unchanged: int

    def of(self, kind: Kind) -> list[Change]:
        """The entries of a kind."""
        return [change for change in self.changes if change.kind is kind]


Held = Mapping[Key, Sequence[Price]]
"""Entries of earlier imports of the catalogue in order of time; of several at one instant the last one counts."""


def compare(catalogue: Catalogue, held: Held, effective_from: datetime) -> Diff:
    """The difference. What the catalogue does not date holds from `effective_from`; what it no longer has ends then."""
    changes: list[Change] = []
    unchanged = 0
    for key, points in catalogue.prices.items():
        needed = [_change(key, *each) for each in _needed(_dated(points, effective_from), held.get(key, ()))]
        changes += needed
        unchanged += not needed
    for key, prices in held.items():
        if key not in catalogue.prices and key not in catalogue.withheld:
            changes += [_change(key, *each) for each in _needed([Price(effective_from, None)], prices)]
    return Diff(tuple(changes), unchanged)


def _change(key: Key, since: datetime, old: Decimal | None, new: Decimal | None) -> Change:
    kind = Kind.GONE if new is None else Kind.NEW if old is None else Kind.CHANGED
    return Change(kind, key, since, old, new)


def _dated(points: Sequence[Point], effective_from: datetime) -> list[Price]:
    """The prices in order of time. A price without a date is past where one with a date is in force already."""
    dated = [Price(point.since, point.price) for point in points if point.since is not None]
    dated.sort(key=lambda price: price.since)
    undated = [Price(effective_from, point.price) for point in points if point.since is None]
    return dated if dated and dated[0].since <= effective_from else undated + dated


def _needed(
    wanted: Sequence[Price], held: Sequence[Price]
) -> Iterator[tuple[datetime, Decimal | None, Decimal | None]]:
    """Instants at which the book would say something else, with its price and the wanted one.

    An entry holds until the next one, so each later entry that is held is a place where the book may fall back.
    """
    start = wanted[0].since
    appended: Price | None = None
    for since in sorted({each.since for each in wanted} | {each.since for each in held if each.since > start}):
        before, price = _at(held, since), _at(wanted, since)
        stands = before
        if appended and (before is None or before.since <= appended.since):
            stands = appended
        old, new = stands.price if stands else None, price.price if price else None
        if old != new:
            appended = Price(since, new)
            yield since, before.price if before else None, new


def _at(prices: Sequence[Price], at: datetime) -> Price | None:
    """The price in force at an instant."""
    position = bisect_right(prices, at, key=lambda each: each.since)
    return prices[position - 1] if position else None
