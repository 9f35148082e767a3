"""Every column of a FOCUS file: name, kind, the version that brought it, and where its value comes from.

Taken from the specification's tag v1.2 (specification/columns); the columns of 1.3 from secondary sources. A new
version is rows of this table.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, NamedTuple

from analytics.exports.focus.line import Line, plain
from analytics.exports.table import Column, Kind

VERSIONS: Final = ("1.2", "1.3")


class Source(NamedTuple):
    """A column and how it is read."""

    name: str
    value: Callable[[Line], Any]
    kind: Kind = Kind.VERBATIM
    since: str = "1.2"


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _nothing(_: Line) -> None:
    return None


def _price(value: Any) -> str | None:  # noqa: ANN401 - a decimal or None
    return None if value is None else plain(value)


def _with(flag: str, text: str) -> Callable[[Line], str | None]:
    return lambda line: None if getattr(line.key, flag) is None else text


def _id(flag: str) -> Callable[[Line], str | None]:
    return lambda line: None if getattr(line.key, flag) is None else str(getattr(line.key, flag))


_EMPTY: Final = (
    *("CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity"),
    *("CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit"),
)
_SOURCES: Final = (
    Source("AvailabilityZone", _nothing),
    Source("BilledCost", lambda line: line.amounts.billed, Kind.MONEY),
    Source("BillingAccountId", lambda line: line.account.slug),
    Source("BillingAccountName", lambda line: line.account.name),
    Source("BillingAccountType", lambda _: "Organization"),
    Source("BillingCurrency", lambda _: "USD"),
    Source("BillingPeriodEnd", lambda line: _instant(line.next_month)),
    Source("BillingPeriodStart", lambda line: _instant(line.billing_month)),
    Source("CapacityReservationId", _nothing),
    Source("CapacityReservationStatus", _nothing),
    Source("ChargeCategory", lambda line: line.category),
    Source("ChargeClass", lambda line: "Correction" if line.is_correction else None),
    Source("ChargeDescription", lambda line: line.description),
    Source("ChargeFrequency", lambda line: line.frequency),
    Source("ChargePeriodEnd", lambda line: _instant(line.next_day)),
    Source("ChargePeriodStart", lambda line: _instant(line.day)),
    *(Source(name, _nothing) for name in _EMPTY),
    Source("ConsumedQuantity", lambda line: line.consumed, Kind.WHOLE),
    Source("ConsumedUnit", lambda line: line.consumed_unit),
    Source("ContractedCost", lambda line: line.amounts.contracted, Kind.MONEY),
    Source("ContractedUnitPrice", lambda line: _price(line.contracted_price)),
    Source("EffectiveCost", lambda line: line.amounts.billed, Kind.MONEY),
    Source("InvoiceId", lambda line: line.key.invoice),
    Source("InvoiceIssuerName", lambda line: line.account.name),
    Source("ListCost", lambda line: line.amounts.list, Kind.MONEY),
    Source("ListUnitPrice", lambda line: _price(line.list_price)),
    Source("PricingCategory", lambda line: line.pricing_category),
    Source("PricingQuantity", lambda line: _price(line.priced)),
    Source("PricingUnit", lambda line: line.pricing_unit),
    Source("ProviderName", lambda line: line.provider),
    Source("PublisherName", lambda line: line.publisher),
    Source("RegionId", _nothing),
    Source("RegionName", _nothing),
    Source("ResourceId", _id("account_id")),
    Source("ResourceName", lambda line: line.key.account),
    Source("ResourceType", _with("account_id", "Virtual Account")),
    Source("ServiceCategory", lambda _: "AI and Machine Learning"),
    Source("ServiceName", lambda line: line.service),
    Source("ServiceSubcategory", lambda _: "Generative AI"),
    Source("SkuId", lambda line: line.sku),
    Source("SkuMeter", lambda line: line.sku_meter),
    Source("SkuPriceDetails", lambda line: line.details, Kind.OBJECT),
    Source("SkuPriceId", lambda line: line.sku_price),
    Source("SubAccountId", _id("team_id")),
    Source("SubAccountName", lambda line: line.key.team),
    Source("SubAccountType", _with("team_id", "Team")),
    Source("Tags", lambda line: dict(line.key.tags) or None, Kind.OBJECT),
    Source("AllocatedMethodDetails", _nothing, since="1.3"),
    Source("AllocatedMethodId", _nothing, since="1.3"),
    Source("AllocatedResourceId", _nothing, since="1.3"),
    Source("AllocatedResourceName", _nothing, since="1.3"),
    Source("AllocatedTags", _nothing, since="1.3"),
    Source("ContractApplied", _nothing, since="1.3"),
    Source("HostProviderName", lambda line: line.provider, since="1.3"),
    Source("ServiceProviderName", lambda line: line.provider, since="1.3"),
    Source("x_CostState", lambda line: line.key.state or None),
    Source("x_DiscountPercent", lambda line: line.percent(line.key.discount)),
    Source("x_FailedRequests", lambda line: line.amounts.failed, Kind.WHOLE),
    Source("x_MarkupPercent", lambda line: line.percent(line.key.markup)),
    Source("x_Model", lambda line: line.key.model or None),
    Source("x_PriceBookVersion", lambda line: line.key.version or None, Kind.WHOLE),
    Source("x_PriceEntryId", lambda line: line.key.entry, Kind.WHOLE),
    Source("x_Provider", lambda line: line.key.provider or None),
    Source(
        "x_ReasoningTokens", lambda line: line.amounts.reasoning if line.key.meter == "output" else None, Kind.WHOLE
    ),
    Source("x_RequestCount", lambda line: line.amounts.requests, Kind.WHOLE),
    Source("x_VirtualAccount", lambda line: line.key.account),
    Source("x_VirtualModel", lambda line: line.key.virtual_model),
)


def sources(version: str) -> list[Source]:
    """The columns of a version, in their order; custom ones last."""
    return [one for one in _SOURCES if one.since <= version]


def columns(version: str) -> tuple[Column, ...]:
    """The same as columns of a table."""
    return tuple(Column(one.name, one.kind) for one in sources(version))
