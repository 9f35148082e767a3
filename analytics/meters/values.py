"""A meter: how much of one token class was used on one UTC day at one price, and what it cost. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ingestion.records import CostState

REPORTED: Final = "reported"
"""Class of what the gateway priced."""
NOT_ITEMISED: Final = "not_itemised"
"""Class of what cannot be taken apart any more: the book that priced it, or the name of its model, is not known."""
SHARED: Final = "shared"
"""Class of costs that a rule of sharing took off a statement or put on it: of no request, so without quantity."""
REQUESTS: Final = "requests"
"""Unit of what is counted in requests, because its tokens are unknown."""
UNPRICED: Final = CostState.UNPRICED.value


@dataclass(frozen=True, slots=True)
class Grain:
    """What rows are told apart by beside day, team, provider, model and price; `tags` are metadata keys."""

    account: bool = False
    virtual_model: bool = False
    tags: tuple[str, ...] = ()


FROZEN: Final = Grain(account=True, virtual_model=True)
"""What the rows of closed months are kept by."""


class Key(NamedTuple):
    """What makes a row. `discount` and `markup` are parts per million, `price` is US dollars per million or piece.

    `invoice`: the number of the statement. Of a correction `adjusts` is the closed month (2026-11) that it corrects,
    `booked` the later one in which it is charged. `text`: what a row of shared costs says.
    """

    day: str
    invoice: str | None = None
    team_id: int | None = None
    team: str | None = None
    account_id: int | None = None
    account: str | None = None
    virtual_model: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    provider: str = ""
    model: str = ""
    state: str = ""
    tier: str = ""
    meter: str = ""
    context: int = 0
    entry: int | None = None
    price: str | None = None
    version: int = 0
    discount: int = 0
    markup: int = 0
    unit: str = ""
    adjusts: str | None = None
    booked: str | None = None
    text: str = ""

    @property
    def group(self) -> tuple[Any, ...]:
        """Rows of the same requests."""
        return (*self[: Key._fields.index("tier")], self.adjusts, self.booked)

    @property
    def traffic(self) -> tuple[Any, ...]:
        """Rows of the same day, owner and model, whatever the state of their cost."""
        return (*self[: Key._fields.index("state")], self.adjusts, self.booked)

    @property
    def order(self) -> tuple[str, ...]:
        """Sort key: the same rows are in the same order, always."""
        return tuple("" if one is None else str(one) for one in self)


@dataclass(slots=True)
class Amounts:
    """Sums of a row; costs in picodollars. `reasoning`: the part of output tokens spent on it."""

    quantity: int = 0
    list: int = 0
    contracted: int = 0
    billed: int = 0
    reasoning: int = 0
    requests: int = 0
    failed: int = 0

    def add(self, other: "Amounts", times: int = 1) -> None:
        """Add another one, or take it away."""
        self.quantity += other.quantity * times
        self.list += other.list * times
        self.contracted += other.contracted * times
        self.billed += other.billed * times
        self.reasoning += other.reasoning * times
        self.requests += other.requests * times
        self.failed += other.failed * times

    @property
    def values(self) -> tuple[int, ...]:
        """In the order of the fields."""
        amounts = (self.quantity, self.list, self.contracted, self.billed)
        return (*amounts, self.reasoning, self.requests, self.failed)


class Meter(NamedTuple):
    """A row. `has_quantity`: False for the correction of a price, which has none."""

    key: Key
    amounts: Amounts
    has_quantity: bool = True


def merged(rows: Iterable[Meter]) -> list[Meter]:
    """Rows of the same key as one, in their order; the number of requests on one row of each group."""
    sums: dict[Key, Amounts] = {}
    counted = set[Key]()
    for key, amounts, has_quantity in rows:
        sums.setdefault(key, Amounts()).add(amounts)
        if has_quantity:
            counted.add(key)
    ordered = sorted(sums, key=lambda key: key.order)
    _count_once(ordered, sums)
    return [Meter(key, sums[key], key in counted) for key in ordered]


def _count_once(ordered: list[Key], sums: dict[Key, Amounts]) -> None:
    """Requests and failures on the row of input tokens of each group, or on its first, so that sums are right."""
    first: dict[tuple[Any, ...], Key] = {}
    for key in ordered:
        if key.group not in first or (key.meter == "input" and first[key.group].meter != "input"):
            first[key.group] = key
    for key in ordered:
        amounts, holder = sums[key], sums[first[key.group]]
        if amounts is not holder:
            holder.requests, holder.failed = holder.requests + amounts.requests, holder.failed + amounts.failed
            amounts.requests = amounts.failed = 0


def coarser(rows: Iterable[Meter], grain: Grain) -> list[Meter]:
    """Rows kept by account and virtual model, by what is asked for."""
    drop: dict[str, Any] = {} if grain.account else {"account_id": None, "account": None}
    drop |= {} if grain.virtual_model else {"virtual_model": None}
    return merged(Meter(key._replace(**drop), amounts, has_quantity) for key, amounts, has_quantity in rows)
