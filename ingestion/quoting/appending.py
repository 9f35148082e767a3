"""Adding prices by hand: a line says one thing at an instant, and what corrects it names it."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import IntegrityError, transaction

from ingestion.models import PriceEntry
from ingestion.pricing.plausibility import unit
from metricsportal.lib.formats import decimal
from teams.models import User

LINE: Final = (
    *("organization_id", "team_id", "virtual_account_id", "source", "provider", "match_kind", "model_match"),
    *("token_class", "service_tier", "context_above"),
)
"""Columns in which entries of one line are equal."""


class TakenError(Exception):
    """Other entries stand at the same instants of the same lines; the text names each and says what to do."""

    def __init__(self, taken: Sequence[PriceEntry]) -> None:
        self.taken = taken
        several = len(taken) > 1
        sentences = [f"{f'{one.token_class}: ' if several else ''}{sentence(one)}" for one in taken]
        super().__init__(f"{' '.join(sentences)} Tick “replace it” to correct {'them' if several else 'it'}.")


def sentence(entry: PriceEntry) -> str:
    """What stands in the way of another price of the line from that instant."""
    price = "no price" if entry.price is None else f"{decimal(entry.price)} {unit(entry.token_class)}"
    by = f" by {entry.created_by}" if entry.created_by else ""
    made = f"{entry.created_at:%Y-%m-%d}"
    return f"There is already a price of this line from that instant: {price}{by} on {made} (entry {entry.pk})."


def standing(entry: PriceEntry) -> PriceEntry | None:
    """The stored entry that holds for the line from that very instant: the last one of its corrections."""
    line = {name: getattr(entry, name) for name in (*LINE, "effective_from")}
    return PriceEntry.objects.filter(**line).select_related("created_by").order_by("-id").first()


def append(*, entries: Sequence[PriceEntry], actor: User | None, replace: bool = False) -> Sequence[PriceEntry]:
    """Store all of the entries or none. Raises TakenError where one stands already, unless it is to be corrected.

    Two people at once are told apart by the database: the second one gets the same error.
    """
    try:
        with transaction.atomic():
            for entry in entries:
                entry.corrects, entry.created_by = standing(entry), actor
            _refuse([] if replace else [entry.corrects for entry in entries])
            for entry in entries:
                entry.save(force_insert=True)
    except IntegrityError as error:
        _refuse(standing(entry) for entry in entries)
        raise error
    return entries


def _refuse(standing: Iterable[PriceEntry | None]) -> None:
    taken = [entry for entry in standing if entry is not None]
    if taken:
        raise TakenError(taken)
