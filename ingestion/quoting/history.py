"""What a model cost when: its entries as a timeline, each with its end, which follows from the next of its line."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from ingestion.models import PriceEntry
from ingestion.quoting.appending import LINE
from ingestion.quoting.speaking import Known


class Standing(StrEnum):
    """What an entry is now, in words for people."""

    CORRECTED = "corrected"
    FUTURE = "future"
    IN_FORCE = "in force"
    OVERRULED = "another goes before it"
    OVER = "over"
    ENDS = "ends the price"


class Period(NamedTuple):
    """An entry, until when its line says so (None = no end is known), and how it differs from what the line said."""

    entry: PriceEntry
    until: datetime | None
    standing: Standing
    before: Decimal | None


def timeline(speaking: Iterable[Known], in_force: Iterable[int], now: datetime) -> list[Period]:
    """Newest first. `in_force`: ids of the entries that price something now."""
    lines: dict[tuple[object, ...], list[PriceEntry]] = {}
    for known in speaking:
        stored = known.stored
        line = (stored.source.partition("@")[0], *(getattr(stored, name) for name in LINE if name != "source"))
        lines.setdefault(line, []).append(stored)
    winners = frozenset(in_force)
    periods = [period for entries in lines.values() for period in _periods(entries, winners, now)]
    return sorted(periods, key=lambda one: (one.entry.effective_from, one.entry.pk), reverse=True)


def _periods(entries: list[PriceEntry], winners: frozenset[int], now: datetime) -> Iterable[Period]:
    """Of one line. Of several at one instant the last one counts, whether it says that it corrects or not."""
    entries.sort(key=lambda one: (one.effective_from, one.pk))
    before: Decimal | None = None
    for position, entry in enumerate(entries):
        later = entries[position + 1 :]
        until = later[0].effective_from if later else None
        if until == entry.effective_from:
            yield Period(entry, None, Standing.CORRECTED, None)
            continue
        yield Period(entry, until, _standing(entry, until, winners, now), before)
        before = entry.price


def _standing(entry: PriceEntry, until: datetime | None, winners: frozenset[int], now: datetime) -> Standing:
    if entry.effective_from > now:
        return Standing.FUTURE
    if until is not None and until <= now:
        return Standing.OVER
    if entry.price is None:
        return Standing.ENDS
    return Standing.IN_FORCE if entry.pk in winners else Standing.OVERRULED
