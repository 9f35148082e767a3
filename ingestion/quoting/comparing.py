"""Typed prices beside those of the catalogue: slips between per token, per thousand and per million are seen."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ingestion.models.prices import TokenClass
from ingestion.pricing.arithmetic import Entry, resolve
from ingestion.pricing.catalogues.base import CATALOGUE
from ingestion.pricing.plausibility import decimals, is_per_piece, unit
from ingestion.quoting.offer import Offer
from ingestion.quoting.speaking import Known
from ingestion.records import UNIT
from metricsportal.lib.formats import decimal

_LABELS: Final = dict(TokenClass.choices)
# How far a price may be from one that is a slip of the unit; lists differ by less than tenfold.
_SLIPS: Final = ((10**6, "per token"), (10**3, "per thousand tokens"))
_NEAR: Final = 8
_TINY: Final = Decimal("0.005")
"""US dollars per 1M tokens; the cheapest lists ask as much, for cached tokens of the smallest models."""


class Comparison(NamedTuple):
    """A class, what the catalogue says of it ("" = nothing), the difference in words, and whether it looks wrong."""

    token_class: str
    label: str
    catalogue: str
    words: str
    is_strange: bool


def label(token_class: str) -> str:
    """The class in words; what is billed by the piece by its name."""
    return str(_LABELS.get(token_class, token_class.removeprefix(UNIT)))


def catalogue_price(known: list[Known], token_class: str, tier: str, tokens: int, at: datetime) -> Entry | None:
    """The imported entry that would price the class if nobody had entered any by hand."""
    return resolve([one.entry for one in known if not one.entry.manual], token_class, tier, tokens, at)


def comparisons(offer: Offer, at: datetime) -> list[Comparison]:
    """One per typed price."""
    return [_comparison(offer, name, price, at) for name, price in offer.prices.items()]


def _comparison(offer: Offer, name: str, price: Decimal, at: datetime) -> Comparison:
    entry = catalogue_price(offer.known, name, offer.service_tier, offer.context_above + 1, at)
    if entry is None or not entry.price:
        words = _alone(name, price)
        return Comparison(name, label(name), "", words, bool(words))
    words, strange = _difference(price, entry.price, name)
    source = entry.catalogue.removeprefix(CATALOGUE)
    return Comparison(name, label(name), f"{decimal(entry.price)} {unit(name)} ({source})", words, strange)


def _alone(name: str, price: Decimal) -> str:
    """Without a catalogue a tiny price per million is the only sign."""
    if is_per_piece(name) or not 0 < price < _TINY:
        return ""
    per_token, per_thousand = decimal(price * 10**6), decimal(price * 10**3)
    return f"Very low for 1M tokens. Meant per token, it is {per_token}; per thousand tokens, {per_thousand}."


def _difference(price: Decimal, listed: Decimal, name: str) -> tuple[str, bool]:
    if price == listed:
        return "the same as the catalogue's", False
    if not price:
        return "free; the catalogue asks a price", False
    higher = price > listed
    times = (price / listed) if higher else (listed / price)
    if times < _NEAR:
        share = abs(price - listed) / listed * 100
        return f"{share:.{1 if share < 10 else 0}f} % {'above' if higher else 'below'} the catalogue's", False
    words = f"{_rounded(times)} times the catalogue's" if higher else f"a {_rounded(times)}th of the catalogue's"
    return words + _slip(price, times, name, higher=higher), True


def _slip(price: Decimal, times: Decimal, name: str, *, higher: bool) -> str:
    """The unit that was probably meant."""
    if is_per_piece(name):
        return ""
    for factor, words in _SLIPS:
        if factor / _NEAR < times < factor * _NEAR:
            meant = price / factor if higher else price * factor
            if higher:
                return f": a slip of the unit? Divided by {factor:,} it is {_shown(meant, name)}"
            return f": is it {words}? Per 1M tokens that is {_shown(meant, name)}"
    return ""


def _shown(price: Decimal, name: str) -> str:
    return decimal(round(price, decimals(name)))


def _rounded(times: Decimal) -> str:
    """Two significant digits are enough for a warning."""
    return f"{round(times, 1 - times.adjusted()):,.0f}" if times >= 10 else f"{times:.1f}"
