"""Amounts in a second currency: converted where they are shown, by the rate at the end of what they are about."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from analytics.models import ExchangeRate
from metricsportal.lib.localtime import local_date, zone

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of a currency for one US dollar, and since when."""

    currency: str
    units: Decimal
    effective_from: datetime


def rate_at(organization_id: int, end: datetime) -> Rate | None:
    """The rate in force when a period ends; None where the organization has none.

    Of several currencies the one whose rate is the latest: an organization has one second currency at a time.
    """
    rates = ExchangeRate.objects.filter(organization_id=organization_id, effective_from__lt=end)
    found = rates.order_by("-effective_from", "-id").first()
    return Rate(found.currency, found.rate, found.effective_from) if found else None


def converted(usd: Decimal, rate: Rate) -> Decimal:
    """US dollars in the currency, half-even to two decimals."""
    with localcontext() as context:
        context.prec = 60  # of thirty digits and eighteen none is lost before the one rounding
        return (usd * rate.units).quantize(_CENT, rounding=ROUND_HALF_EVEN)


def words(usd: Decimal, rate: Rate, zone_name: str) -> str:
    """≈ 1,234.56 EUR at 0.9213 of 2026-11-01: the day in the reporting zone. An amount never reads as 0.00."""
    amount = converted(usd, rate)
    figure = f"≈ {amount:,f}" if amount or not usd else "below 0.01"
    day = local_date(rate.effective_from, zone(zone_name))
    return f"{figure} {rate.currency} at {plain(rate.units)} of {day}"


def plain(units: Decimal) -> str:
    """The rate in fixed notation without trailing zeros."""
    return f"{units.normalize():f}"
