"""Which prices the price book takes: whole picodollars per token or piece, never negative, never absurd. Pure."""

from decimal import Decimal
from typing import Final

from ingestion.pricing.arithmetic import REQUEST
from ingestion.records import UNIT

DECIMALS: Final = 6
"""Of a price per million tokens: the price of one is then a whole number of picodollars."""
DECIMALS_PER_PIECE: Final = 12
MOST_USD: Final = Decimal(10_000)
"""Per million tokens. The dearest lists ask hundreds; ten thousand is a slip of the decimal point or of the unit."""
MOST_USD_PER_PIECE: Final = Decimal(100)
_PER_TOKEN_BELOW: Final = Decimal("0.001")
TIMES_THE_CATALOGUE: Final = 1_000
"""A price by hand that is further from the catalogue's is per thousand or per token where per million was meant."""


def scaled(number: Decimal, places: int) -> Decimal:
    """The number times ten to the power of `places`, exactly: `Decimal.scaleb` rounds long ones."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, exponent + places)) if isinstance(exponent, int) else number


def is_per_piece(token_class: str) -> bool:
    """Whether a price of the class is for one request or unit, not for a million tokens."""
    return token_class == REQUEST or token_class.startswith(UNIT)


def unit(token_class: str) -> str:
    """What a price of the class is for."""
    if token_class.startswith(UNIT):
        return f"USD per {token_class.removeprefix(UNIT)}"
    return "USD per request" if token_class == REQUEST else "USD per 1M tokens"


def decimals(token_class: str) -> int:
    """Most decimals of a price of the class."""
    return DECIMALS_PER_PIECE if is_per_piece(token_class) else DECIMALS


def excess_decimals(price: Decimal, token_class: str) -> str | None:
    """Why a price with more decimals than its class may have is refused, as a sentence; None = it is not."""
    if not price.is_finite() or _decimals(price) <= decimals(token_class):
        return None
    sentence = f"At most {decimals(token_class)} decimals in {unit(token_class)}."
    if not is_per_piece(token_class) and price < _PER_TOKEN_BELOW:
        meant = scaled(price, 6).normalize()
        sentence += f" Is {price:f} meant per token? Per 1M tokens that is {meant:f}."
    return sentence


def most(token_class: str) -> Decimal:
    """The highest price of the class that is believed without a catalogue."""
    return MOST_USD_PER_PIECE if is_per_piece(token_class) else MOST_USD


def unfit(price: Decimal, token_class: str) -> str | None:
    """Why the price book does not take that price; None = it does."""
    if not price.is_finite():
        return "is not a number"
    if price < 0:
        return "is negative"
    if price > most(token_class):
        return f"is absurd: more than {most(token_class):,} {unit(token_class)}"
    if _decimals(price) > decimals(token_class):
        return f"has more than {decimals(token_class)} decimals in {unit(token_class)}"
    return None


def _decimals(price: Decimal) -> int:
    _, digits, exponent = price.as_tuple()
    if not price or not isinstance(exponent, int):
        return 0
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -(exponent + trailing))
