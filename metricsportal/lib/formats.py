"""Numbers for people: one place for their form, used by the page, the e-mail and the tables behind the charts."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from metricsportal.lib.money import PICO_PER_USD

_SUFFIXES: Final = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))
NO_VALUE: Final = "–"  # noqa: RUF001 - an en dash stands for "no value" in tables


def exact(number: int | None) -> str:
    """12412907 -> "12,412,907"."""
    return NO_VALUE if number is None else f"{number:,}"


def decimal(number: Decimal) -> str:
    """All of its decimals and no more: Decimal("1250.500000") -> "1,250.5"."""
    return f"{number.normalize():,f}"


def compact(number: float | None) -> str:
    """12412907 -> "12.4M"; below a thousand as it is."""
    if number is None:
        return NO_VALUE
    for size, suffix in _SUFFIXES:
        # 999,950 would read "1000k" after rounding: it belongs to the next suffix.
        if abs(number) >= size * 0.99995:
            return f"{number / size:.1f}".removesuffix(".0") + suffix
    return f"{number:g}" if isinstance(number, int) or number.is_integer() else f"{number:.1f}"


def share(ratio: float | None) -> str:
    """0.00442 -> "0.4 %"; a small share never reads as zero."""
    if ratio is None:
        return NO_VALUE
    if 0 < ratio < 0.0005:
        return "< 0.1 %"
    return f"{ratio * 100:.1f} %"


def milliseconds(value: float | None) -> str:
    """Milliseconds below a second, seconds above: 812.4 -> "812 ms", 4377 -> "4.38 s"."""
    if value is None:
        return NO_VALUE
    if value >= 100_000:
        return f"{value / 1000:.0f} s"
    if value >= 999.5:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 99.5 else f"{value:.3g} ms"


def rate(per_second: float | None) -> str:
    """Requests per second with three significant digits; a small rate never reads as zero or with an exponent."""
    if per_second is None:
        return NO_VALUE
    if per_second >= 999.5:
        return f"{per_second:,.0f} /s"
    return f"{Decimal(f'{per_second:.3g}').normalize():f} /s"


def usd(picodollars: int | None, *, brief: bool = False) -> str:
    """Cents from a dollar on, else two significant decimals: never "$0.00" for an amount. `brief`: 10,000 as 10k."""
    if picodollars is None:
        return NO_VALUE
    sign, amount = ("-", -picodollars) if picodollars < 0 else ("", picodollars)
    if brief and amount >= 10_000 * PICO_PER_USD:
        return f"{sign}${compact(amount / PICO_PER_USD)}"
    dollars = Decimal(amount).scaleb(-12)
    places = 2
    if 0 < dollars < 1:
        places = max(2, 1 - dollars.adjusted())
    return f"{sign}${dollars.quantize(Decimal(1).scaleb(-min(places, 12)), rounding=ROUND_HALF_EVEN):,f}"


def change(now: float | None, before: float | None) -> tuple[float | None, str | None]:
    """Relative change and its words: (0.082, "up 8.2 %"); nothing before = "new"; a missing side = no change."""
    if now is None or before is None:
        return None, None
    if before == 0:
        return None, "new" if now else None
    ratio = (now - before) / before
    if abs(ratio) < 0.0005:
        return ratio, "unchanged"
    size = f"{abs(ratio) * 100:.1f} %" if abs(ratio) < 10 else f"{abs(ratio):.0f}-fold"
    return ratio, f"{'up' if ratio > 0 else 'down'} {size}"
