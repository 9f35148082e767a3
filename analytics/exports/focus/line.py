"""One row of a FOCUS file: a meter with what its columns are worked out of, each once. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from functools import cached_property
from typing import Final

from analytics.exports.focus import words
from analytics.meters.values import NOT_ITEMISED, REPORTED, REQUESTS, SHARED, Amounts, Key, Meter
from ingestion.pricing.arithmetic import TOKEN_CLASSES
from ingestion.pricing.terms import WHOLE
from ingestion.records import CostState
from metricsportal.lib.money import usd_text

MILLION: Final = 1_000_000
USAGE: Final = "Usage"
ADJUSTMENT: Final = "Adjustment"
_LONGEST: Final = 240
_EXACT: Final = Context(prec=60)
_TWELVE: Final = Decimal(1).scaleb(-12)
_IN_DOLLARS: Final = (REPORTED, NOT_ITEMISED)
"""Meters whose price is one dollar per dollar."""
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Account:
    """Who is billed: the organization's id, which never changes, and its name."""

    slug: str
    name: str


def plain(number: Decimal) -> str:
    """Fixed notation: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


@dataclass(frozen=True)
class Line:
    """A row."""

    meter: Meter
    account: Account

    @property
    def key(self) -> Key:
        """What makes the row."""
        return self.meter.key

    @property
    def amounts(self) -> Amounts:
        """Its sums."""
        return self.meter.amounts

    @property
    def is_shared(self) -> bool:
        """Whether it is a share of costs, and no use of anything."""
        return self.key.meter == SHARED

    @property
    def category(self) -> str:
        """What kind of charge it is."""
        return ADJUSTMENT if self.is_shared else USAGE

    @property
    def frequency(self) -> str:
        """How often it is charged."""
        return "One-Time" if self.is_shared else "Usage-Based"

    @property
    def is_correction(self) -> bool:
        """Whether it corrects a closed month."""
        return self.key.booked is not None

    @cached_property
    def day(self) -> date:
        """The UTC day."""
        return date.fromisoformat(self.key.day)

    @property
    def next_day(self) -> date:
        """The one after."""
        return self.day + _A_DAY

    @cached_property
    def billing_month(self) -> date:
        """The first day of the UTC month in which it is charged."""
        return date.fromisoformat(f"{self.key.booked}-01") if self.key.booked else self.day.replace(day=1)

    @cached_property
    def next_month(self) -> date:
        """The first day of the month after that one."""
        month = self.billing_month
        return date(month.year + month.month // 12, month.month % 12 + 1, 1)

    @property
    def is_tokens(self) -> bool:
        """Whether it is priced per million tokens."""
        return self.key.meter in TOKEN_CLASSES

    @property
    def consumed(self) -> int | None:
        """How much was used."""
        return self.amounts.quantity if self.meter.has_quantity else None

    @property
    def consumed_unit(self) -> str | None:
        """In what that is counted."""
        if not self.meter.has_quantity:
            return None
        if self.key.unit == REQUESTS:
            return "Requests"
        return "Tokens" if self.is_tokens or self.key.meter in _IN_DOLLARS else words.meter_name(self.key.meter)

    @cached_property
    def priced(self) -> Decimal | None:
        """How many pricing units."""
        if not self.meter.has_quantity:
            return None
        if self.key.meter in _IN_DOLLARS:
            return _EXACT.scaleb(Decimal(self.amounts.list), -12)
        quantity = Decimal(self.amounts.quantity)
        return _EXACT.scaleb(quantity, -6) if self.is_tokens else quantity

    @property
    def pricing_unit(self) -> str | None:
        """What the price is of."""
        if not self.meter.has_quantity:
            return None
        if self.key.meter in _IN_DOLLARS:
            return "Units"
        return "1000000 Tokens" if self.is_tokens else words.meter_name(self.key.meter)

    @cached_property
    def list_price(self) -> Decimal | None:
        """US dollars per pricing unit; of corrections only where one price explains the amount."""
        if self.priced is None:
            return None
        price = Decimal(1) if self.key.meter in _IN_DOLLARS else Decimal(self.key.price or 0)
        if self.is_correction and _EXACT.multiply(price, self.priced) != _EXACT.scaleb(Decimal(self.amounts.list), -12):
            return None
        return price

    @cached_property
    def contracted_price(self) -> Decimal | None:
        """The list price after the discount, unrounded."""
        if self.list_price is None or self.priced is None:
            return None
        if self.key.meter == NOT_ITEMISED:
            contracted, listed = self.amounts.contracted, self.amounts.list
            return (Decimal(contracted) / Decimal(listed)).quantize(_TWELVE) if listed else self.list_price
        kept = _EXACT.scaleb(Decimal(WHOLE - self.key.discount), -6)
        return _EXACT.multiply(self.list_price, kept)

    @property
    def sku(self) -> str | None:
        """The id of what is sold; None where nothing is."""
        return None if self.is_shared else words.sku(self.key.provider, self.key.model, self.key.meter)

    @property
    def sku_meter(self) -> str | None:
        """What is counted."""
        return None if self.is_shared else words.meter_name(self.key.meter)

    @property
    def sku_price(self) -> str | None:
        """The id of its price: neither the price, nor its date, nor whose."""
        return None if self.is_shared else f"{self.sku}/{words.part(self.key.tier)}/{self.key.context}"

    @property
    def details(self) -> dict[str, str] | None:
        """What the id of the price says, in words."""
        if self.is_shared:
            return None
        context = f"above {self.key.context}" if self.key.context else "all"
        named = {"x_Model": self.key.model or words.UNKNOWN, "x_TokenType": self.key.meter}
        return named | {"x_ServiceTier": self.key.tier, "x_ContextTier": context}

    @property
    def description(self) -> str:
        """gpt-5 input tokens via our-best; of shared costs what the statement says."""
        if self.is_shared:
            return self.key.text[:_LONGEST]
        via = f" via {self.key.virtual_model}" if self.key.virtual_model else ""
        free = " (no price)" if self.key.state == CostState.UNPRICED.value else ""
        text = f"{self.key.model or 'Unknown model'} {words.meter_name(self.key.meter).lower()}{via}"
        return text[: _LONGEST - len(free)] + free

    @property
    def provider(self) -> str:
        """Who sells: of shared costs the organization, which splits them."""
        return self.account.name if self.is_shared else words.provider_name(self.key.provider)

    @property
    def publisher(self) -> str:
        """Who makes the model."""
        return self.provider if self.is_shared else words.publisher_name(self.key.provider, self.key.model)

    @property
    def service(self) -> str:
        """What is sold."""
        return "Shared costs" if self.is_shared else f"{self.provider} API"

    @property
    def pricing_category(self) -> str | None:
        """Whether the price is a published one."""
        if self.is_shared:
            return None
        return "Standard" if self.key.state == CostState.COMPUTED.value and self.key.price is not None else "Other"

    def percent(self, parts: int) -> str | None:
        """Parts per million as a percentage; None where there is no price."""
        return None if self.is_shared else plain(_EXACT.scaleb(Decimal(parts), -4))

    def money(self, picodollars: int) -> str:
        """US dollars."""
        return usd_text(picodollars) or "0"
