"""Amounts as displayed: rounded so that the rows add up to their total."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from metricsportal.lib.money import PICO_PER_USD

_CENTS_FROM: Final = 100 * PICO_PER_USD
_MOST_DECIMALS: Final = 12  # a picodollar


def decimals_for(total: int) -> int:
    """Cents from 100 USD on, four decimals below, more for a total that would read as zero: two significant ones."""
    if abs(total) >= _CENTS_FROM:
        return 2
    return 4 if total == 0 else max(4, min(_MOST_DECIMALS, 14 - len(str(abs(total)))))


def rounded_total(picodollars: int, decimals: int) -> Decimal:
    """US dollars, half-even."""
    return _dollars(_halves_to_even(picodollars, _quantum(decimals)), decimals)


def largest_remainder(amounts: Sequence[int], decimals: int) -> list[Decimal]:
    """US dollars of each amount, rounded down or up such that they add up to the rounded total.

    Every row lies within one unit of the last decimal. Rows with the largest remainder are rounded up, the first ones
    among equals.
    """
    quantum = _quantum(decimals)
    floors = [amount // quantum for amount in amounts]
    missing = _halves_to_even(sum(amounts), quantum) - sum(floors)
    order = sorted(range(len(amounts)), key=lambda row: (-(amounts[row] % quantum), row))
    for row in order[:missing]:
        floors[row] += 1
    return [_dollars(units, decimals) for units in floors]


def _quantum(decimals: int) -> int:
    return int(PICO_PER_USD // 10**decimals)


def _halves_to_even(amount: int, quantum: int) -> int:
    whole, rest = divmod(amount, quantum)
    return whole + (2 * rest > quantum or (2 * rest == quantum and whole % 2 == 1))


def _dollars(units: int, decimals: int) -> Decimal:
    return Decimal(units).scaleb(-decimals)
