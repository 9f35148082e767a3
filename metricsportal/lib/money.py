"""Money as integer picodollars (1e-12 USD). No float ever touches money."""

from decimal import ROUND_HALF_EVEN, Decimal

PICO_PER_USD = 10**12
_QUANTUM = Decimal(1).scaleb(-12)


def to_picodollars(amount: Decimal) -> int:
    """US dollars to whole picodollars, half-even."""
    return int(amount.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN).scaleb(12))


def usd_text(picodollars: int | None) -> str | None:
    """Fixed notation, at most 12 decimals, no exponent, no trailing zeros: 260000 -> "0.00000026"."""
    if picodollars is None:
        return None
    digits = f"{abs(picodollars):013d}"
    text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
    return "-" + text if picodollars < 0 else text


def usd_rounded(picodollars: int, decimals: int = 2) -> str:
    """For people: at least `decimals` places, more when the amount would read as zero: 15000000 -> "0.000015"."""
    amount = Decimal(picodollars).scaleb(-12)
    places = decimals
    while amount and not amount.quantize(Decimal(1).scaleb(-places)) and places < 12:
        places += 1
    extra = 1 if places > decimals else 0
    return f"{amount.quantize(Decimal(1).scaleb(-min(places + extra, 12)), rounding=ROUND_HALF_EVEN):,f}"
