"""Arithmetic of prices: disjoint billable classes, resolution of entries, exact integer picodollars. Pure.

A per-token price in picodollars is USD per million tokens times 1,000,000: an exact integer, because prices have at
most six decimals. Lines are products of integers, so nothing here rounds.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from ingestion.records import CostState

ANY_PROVIDER: Final = "*"
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


class Rates(NamedTuple):
    """Picodollars per token of every class, fallbacks applied, and per successful request; None = no price."""

    tokens: tuple[int | None, ...]
    request: int | None


NO_RATES: Final = Rates((None,) * len(TOKEN_CLASSES), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the price book, as resolution sees it. `order` grows with the time of creation.

    `catalogue`: name of the catalogue it was imported from, in whatever version; "" = by hand.
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

    def matches(self, provider: str, model: str) -> bool:
        """Whether the entry speaks of that model (lower case) of that provider ("" = unknown)."""
        if self.provider not in (ANY_PROVIDER, provider):
            return False
        if self.match_kind == "exact":
            return self.model_match == model
        if self.match_kind == "prefix":
            return model.startswith(self.model_match)
        return _glob(self.model_match).fullmatch(model) is not None

    @property
    def key(self) -> tuple[object, ...]:
        """What a later entry, or a NULL price, replaces."""
        match = (self.provider, self.match_kind, self.model_match)
        return (self.own, self.manual, self.catalogue, *match, self.token_class, self.service_tier, self.context_above)

    def preference(self, tier: str) -> tuple[object, ...]:
        """Sort key: the candidate with the largest one prices the request."""
        match = {"exact": 2, "prefix": 1}.get(self.match_kind, 0)
        return (
            self.own,
            self.manual,
            match,
            len(self.model_match),
            self.provider != ANY_PROVIDER,
            self.service_tier == tier,
            self.context_above,
            self.effective_from,
            self.order,
        )


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` is any text and `?` any character; nothing else is special."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(character) or re.escape(character) for character in pattern), re.DOTALL)


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


def rates(entries: Sequence[Entry], tier: str, input_tokens: int, at: datetime) -> Rates:
    """Prices of all classes at once. The own class is searched through all steps before its fallback."""
    own = {name: resolve(entries, name, tier, input_tokens, at) for name in TOKEN_CLASSES}
    found: dict[str, int | None] = {}
    for name in TOKEN_CLASSES:  # a fallback stands before its users
        entry = own[name]
        price = entry.price if entry else None
        found[name] = per_token(price) if price is not None else found.get(FALLBACK.get(name, ""))
    fee = resolve(entries, REQUEST, tier, input_tokens, at)
    return Rates(
        tuple(found[name] for name in TOKEN_CLASSES),
        per_unit(fee.price) if fee and fee.price is not None else None,
    )


def cost(quantities: Quantities, prices: Rates, *, failed: bool) -> int | None:
    """Picodollars of a request; None when a class with tokens has no price. A failed one pays no request fee."""
    total = 0
    for quantity, price in zip(quantities, prices.tokens, strict=True):
        if quantity:
            if price is None:
                return None
            total += quantity * price
    return total if failed or prices.request is None else total + prices.request


class Settled(NamedTuple):
    """What a request costs in picodollars and where the figure comes from; None = unpriced, not in the book."""

    state: CostState
    cost: int | None
    list_cost: int | None


_NOTHING: Final = Settled(CostState.NONE, 0, 0)


def settle(
    quantities: Quantities | None,
    prices: Rates,
    *,
    failed: bool,
    tokens_absent: bool,
    reported: int | None,
) -> Settled:
    """The policy "computed first": computed, else reported, else unpriced; nothing billable costs 0.

    `quantities` None = the tokens are not fully known; `tokens_absent` = neither input nor output tokens were sent.
    """
    if quantities is None:
        if reported is not None:
            return Settled(CostState.REPORTED, reported, None)
        return _NOTHING if failed and tokens_absent else Settled(CostState.UNPRICED, None, None)
    listed = cost(quantities, prices, failed=failed)
    if any(quantities) or (prices.request and not failed):
        if listed is not None:
            return Settled(CostState.COMPUTED, listed, listed)
        if reported is None:
            return Settled(CostState.UNPRICED, None, None)
        return Settled(CostState.REPORTED, reported, None)
    return Settled(CostState.REPORTED, reported, None) if reported else _NOTHING


def gateway_cache_hit() -> Settled:
    """An answer from the gateway's own cache: nothing billable, whatever its tokens."""
    return _NOTHING
