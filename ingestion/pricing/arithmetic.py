"""Arithmetic of prices: disjoint billable classes, resolution of entries, exact integer picodollars. Pure.

A per-token price in picodollars is USD per million tokens times 1,000,000: an exact integer, because prices have at
most six decimals. Lines are products of integers, so nothing here rounds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ingestion.pricing.matching import Pattern
from ingestion.pricing.terms import COMPUTED, PLAIN, Terms
from ingestion.records import UNIT

STANDARD: Final = "standard"
MAX_PICODOLLARS: Final = 2**63 - 1

# Class that prices a class without a price of its own; classes that are not here have none.
FALLBACK: Final = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "audio_input": "input",
    "image_input": "input",
    "reasoning": "output",
    "audio_output": "output",
    "image_output": "output",
}
TOKEN_CLASSES: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "image_output",
)
REQUEST: Final = "request"


class Quantities(NamedTuple):
    """Tokens per billable class: disjoint, never negative; both sides add up to the inclusive counts."""

    input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    audio_input: int
    image_input: int
    output: int
    reasoning: int
    audio_output: int
    image_output: int


Units = Mapping[str, int]
"""How many of what is billed by the piece: web searches, images."""
NO_UNITS: Final[Units] = {}


UNKNOWN: Final = -(1 << 200)
"""Outweighs whatever all the other lines can cost, whose counts and prices are below 2**64."""


class Exact(NamedTuple):
    """Prices of which the terms leave whole numbers: what is charged for a sum is what is charged for its lines.

    A class without a price has UNKNOWN: a sum with any of it is negative. `factors`: contracted and billed part of a
    list cost, each as numerator and denominator; None = all of it.
    """

    prices: tuple[int, ...]
    factors: tuple[int, int, int, int] | None


class Rates(NamedTuple):
    """Picodollars per token of every class, fallbacks applied, per successful request and per piece; None = no price.

    `agreed`: what happens to the list cost, and whose figure counts.
    """

    tokens: tuple[int | None, ...]
    request: int | None
    units: Units = NO_UNITS
    agreed: Terms = PLAIN
    exact: Exact | None = None
    """Where all prices are such, a request has no fee, and the book's figure counts."""


NO_RATES: Final = Rates((None,) * len(TOKEN_CLASSES), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the price book, as resolution sees it. `order` grows with the time of creation.

    `catalogue`: name of the catalogue it was imported from, in whatever version; "" = by hand. `team_id`,
    `virtual_account_id`: whose requests alone it prices.
    """

    own: bool
    manual: bool
    provider: str
    match_kind: str
    model_match: str
    token_class: str
    context_above: int
    service_tier: str
    price: Decimal | None
    effective_from: datetime
    order: int
    catalogue: str = ""
    team_id: int | None = None
    virtual_account_id: int | None = None

    @property
    def pattern(self) -> Pattern:
        """The models it speaks of."""
        return Pattern(self.provider, self.match_kind, self.model_match)

    def matches(self, provider: str, model: str) -> bool:
        """Whether the entry speaks of that model (lower case) of that provider ("" = unknown)."""
        return self.pattern.matches(provider, model)

    @property
    def key(self) -> tuple[object, ...]:
        """What a later entry, or a NULL price, replaces."""
        owner = (self.own, self.team_id, self.virtual_account_id)
        line = (self.pattern, self.token_class, self.service_tier, self.context_above)
        return (*owner, self.manual, self.catalogue, *line)

    def preference(self, tier: str) -> tuple[object, ...]:
        """Sort key: the candidate with the largest one prices the request."""
        return (
            self.virtual_account_id is not None,
            self.team_id is not None,
            self.own,
            self.manual,
            *self.pattern.preference,
            self.service_tier == tier,
            self.context_above,
            self.effective_from,
            self.order,
        )


def per_token(usd_per_million: Decimal) -> int:
    """Picodollars per token of a price in US dollars per million tokens; raises ValueError above six decimals."""
    return _exact(usd_per_million.scaleb(6), usd_per_million)


def per_unit(usd: Decimal) -> int:
    """Picodollars per unit of a price in US dollars per unit; raises ValueError above twelve decimals."""
    return _exact(usd.scaleb(12), usd)


def _exact(scaled: Decimal, price: Decimal) -> int:
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{price} has more decimals than a price may have")
    return int(scaled)


def resolve(entries: Iterable[Entry], token_class: str, tier: str, input_tokens: int, at: datetime) -> Entry | None:
    """The entry that prices a class at an instant, among entries that match the model; None = no price.

    A NULL price removes its key from that instant on, so that the next candidate in the order is used.
    """
    current: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        if entry.token_class == token_class and _applies(entry, tier, input_tokens, at):
            rival = current.get(entry.key)
            if rival is None or (rival.effective_from, rival.order) < (entry.effective_from, entry.order):
                current[entry.key] = entry
    priced = [entry for entry in current.values() if entry.price is not None]
    return max(priced, key=lambda entry: entry.preference(tier), default=None)


def _applies(entry: Entry, tier: str, input_tokens: int, at: datetime) -> bool:
    reached = entry.context_above == 0 or input_tokens > entry.context_above
    return reached and entry.effective_from <= at and entry.service_tier in (tier, STANDARD)


def rates(entries: Sequence[Entry], tier: str, input_tokens: int, at: datetime, agreed: Terms = PLAIN) -> Rates:
    """Prices of all classes at once. The own class is searched through all steps before its fallback."""
    own = {name: resolve(entries, name, tier, input_tokens, at) for name in TOKEN_CLASSES}
    found: dict[str, int | None] = {}
    for name in TOKEN_CLASSES:  # a fallback stands before its users
        entry = own[name]
        price = entry.price if entry else None
        found[name] = per_token(price) if price is not None else found.get(FALLBACK.get(name, ""))
    names = {entry.token_class for entry in entries if entry.token_class.startswith(UNIT)}
    pieces = {name: _per_piece(entries, name, tier, input_tokens, at) for name in names}
    prices = tuple(found[name] for name in TOKEN_CLASSES)
    fee = _per_piece(entries, REQUEST, tier, input_tokens, at)
    units = {name.removeprefix(UNIT): price for name, price in pieces.items() if price is not None}
    return Rates(prices, fee, units, agreed, _exactly(prices, agreed) if fee is None else None)


def _exactly(prices: Sequence[int | None], agreed: Terms) -> Exact | None:
    if agreed.policy not in COMPUTED or not all(price is None or agreed.is_exact(price) for price in prices):
        return None
    whole = tuple(UNKNOWN if price is None else price for price in prices)
    return Exact(whole, None if agreed.plain else agreed.factors)


def _per_piece(entries: Sequence[Entry], name: str, tier: str, input_tokens: int, at: datetime) -> int | None:
    entry = resolve(entries, name, tier, input_tokens, at)
    return None if entry is None or entry.price is None else per_unit(entry.price)


def lines(quantities: Quantities, prices: Rates, units: Units = NO_UNITS, *, failed: bool) -> list[int] | None:
    """List cost in picodollars of everything that is billed, line by line; None when something has no price.

    A failed request pays no request fee.
    """
    answer = []
    for quantity, price in zip(quantities, prices.tokens, strict=True):
        if quantity:
            if price is None:
                return None
            answer.append(quantity * price)
    for name, count in units.items():
        if count:
            price = prices.units.get(name)
            if price is None:
                return None
            answer.append(count * price)
    if prices.request is not None and not failed:
        answer.append(prices.request)
    return answer


def cost(quantities: Quantities, prices: Rates, units: Units = NO_UNITS, *, failed: bool) -> int | None:
    """List cost of a request in picodollars; None when something has no price."""
    found = lines(quantities, prices, units, failed=failed)
    return None if found is None else sum(found)
