"""Which entries of the price book speak of a model, which of them price it, and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet

from ingestion.models import PriceEntry
from ingestion.models.prices import MatchKind
from ingestion.pricing.arithmetic import REQUEST, STANDARD, TOKEN_CLASSES, Entry, resolve
from ingestion.pricing.loading import agreement, entry_of
from ingestion.pricing.terms import stands_for
from ingestion.records import UNIT
from metricsportal.lib.formats import decimal
from teams.models import Organization

ORDER: Final = (
    "a virtual account's before a team's",
    "a team's before the organization's",
    "the organization's own before everybody's",
    "entered by hand before imported",
    "“is exactly” before “starts with” before “matches”",
    "the longest match",
    "a named provider before *",
    "the service tier before standard",
    "the highest context limit",
    "the latest effective date",
    "the latest entry",
)
"""The steps of `Entry.preference` in words: of several entries the first by this order prices a class."""


class Known(NamedTuple):
    """A stored entry and how resolution sees it."""

    stored: PriceEntry
    entry: Entry


class Priced(NamedTuple):
    """What a class costs now. `known` None = nothing of its own: another class may be asked instead.

    `over` is why the entry goes before the next one, `next_` the entry of a later price that is dated already.
    """

    token_class: str
    known: Known | None
    over: str = ""
    next_: Known | None = None

    @property
    def price(self) -> Decimal | None:
        """Of its own."""
        return self.known.stored.price if self.known else None


def book(organization: Organization | None) -> "QuerySet[PriceEntry]":
    """The entries for all requests of an organization; overrides of one team or account are not among them."""
    mine = Q(organization=None) | Q(organization=organization) if organization else Q(organization=None)
    return PriceEntry.objects.filter(mine, team=None, virtual_account=None).order_by()


class Speaking:
    """The entries that can speak of some models, read at once and compared by their distinct matches."""

    def __init__(
        self, entries: "QuerySet[PriceEntry]", names: Iterable[str], organization: Organization | None = None
    ) -> None:
        self._aliases = agreement(organization.pk).aliases if organization else ()
        wanted = {name.lower() for name in names} | {alias.model for alias in self._aliases}
        exact = Q(match_kind=MatchKind.EXACT, model_match__in=wanted)
        self._matches: dict[tuple[str, str, str], list[Known]] = {}
        for stored in entries.filter(exact | ~Q(match_kind=MatchKind.EXACT)):
            entry = entry_of(stored)
            match = (entry.provider, entry.match_kind, entry.model_match)
            self._matches.setdefault(match, []).append(Known(stored, entry))

    def of(self, provider: str, model: str) -> list[Known]:
        """Every entry that speaks of the model, past and future ones included."""
        provider, name = self.known_as(provider, model)
        return [known for each in self._matches.values() if each[0].entry.matches(provider, name) for known in each]

    def known_as(self, provider: str, model: str) -> tuple[str, str]:
        """What the price book calls a model, in lower case."""
        return stands_for(self._aliases, provider, model.lower())


def classes(speaking: Iterable[Known]) -> list[str]:
    """Token classes, the request, and what is billed by the piece as far as an entry names it."""
    units = {known.entry.token_class for known in speaking if known.entry.token_class.startswith(UNIT)}
    return [*TOKEN_CLASSES, REQUEST, *sorted(units)]


def prices(speaking: Sequence[Known], now: datetime, *, tier: str = STANDARD, tokens: int = 0) -> list[Priced]:
    """What each class of a model costs in a service tier with that many input tokens."""
    return [_priced(speaking, name, now, tier, tokens) for name in classes(speaking)]


def _priced(speaking: Sequence[Known], token_class: str, now: datetime, tier: str, tokens: int) -> Priced:
    of_class = [known for known in speaking if known.entry.token_class == token_class]
    entries = [known.entry for known in of_class]
    by_order = {known.entry.order: known for known in of_class}
    found = resolve(entries, token_class, tier, tokens, now)
    if found is None:
        return Priced(token_class, None, "", _next(of_class, None, now, tier, tokens))
    rival = resolve([one for one in entries if one.key != found.key], token_class, tier, tokens, now)
    over = "" if rival is None else _difference(found, rival, tier)
    known = by_order[found.order]
    return Priced(token_class, known, over, _next(of_class, known, now, tier, tokens))


def _difference(winner: Entry, rival: Entry, tier: str) -> str:
    """The first step of the order in which they differ, with the price that is passed over."""
    steps = zip(ORDER, winner.preference(tier), rival.preference(tier), strict=True)
    step = next((words for words, mine, theirs in steps if mine != theirs), "")
    return f"{step}: goes before {plain(rival.price)} of entry {rival.order}"


def _next(of_class: Sequence[Known], current: Known | None, now: datetime, tier: str, tokens: int) -> Known | None:
    """The next entry that is dated later and changes the price, one without a price included."""
    entries = [known.entry for known in of_class]
    future = sorted((known for known in of_class if known.entry.effective_from > now), key=lambda one: one.entry.order)
    price = current.entry.price if current else None
    for known in sorted(future, key=lambda one: one.entry.effective_from):
        then = resolve(entries, known.entry.token_class, tier, tokens, known.entry.effective_from)
        if (then.price if then else None) != price:
            return next((one for one in future if then and one.entry.order == then.order), known)
    return None


def plain(price: Decimal | None) -> str:
    """A price for people, or that there is none."""
    return "no price" if price is None else decimal(price)
