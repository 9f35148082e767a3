"""What stands between a list price and a bill: aliases, discount and markup, and whose figure counts. Pure.

Percentages have at most four decimals, so they are whole numbers of parts per million and products stay exact; each
line is rounded once, half to even, to a whole picodollar. Discount first, then markup on what remains: the order of
LiteLLM's provider margins (docs/proxy/provider_margins.md).
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, Protocol, TypeVar

from ingestion.pricing.matching import Pattern

WHOLE: Final = 1_000_000
"""Parts per million of an amount that nothing is taken from or added to."""
_SQUARE: Final = WHOLE * WHOLE
DISCOUNT: Final = "discount"
MARKUP: Final = "markup"
COMPUTED_FIRST: Final = "computed_first"
REPORTED_FIRST: Final = "reported_first"
COMPUTED_ONLY: Final = "computed_only"
REPORTED_ONLY: Final = "reported_only"
COMPUTED: Final = (COMPUTED_FIRST, COMPUTED_ONLY)
"""Policies in which the price book's figure is the cost wherever there is one."""


class Terms(NamedTuple):
    """What an organization charges for a list cost, and whose figure is the cost.

    `contracted`: parts per million of the list cost that the discount leaves; `marked_up`: parts per million of that
    which are charged on. `adjust_reported`: both also hold for the gateway's own figures.
    """

    contracted: int = WHOLE
    marked_up: int = WHOLE
    policy: str = COMPUTED_FIRST
    adjust_reported: bool = False

    @property
    def plain(self) -> bool:
        """Whether list, contracted and billed cost are the same."""
        return self.contracted == WHOLE == self.marked_up

    def is_exact(self, price: int) -> bool:
        """Whether nothing is rounded in any line with that price per token or piece."""
        remaining = price * self.contracted
        return remaining % WHOLE == 0 and remaining * self.marked_up % _SQUARE == 0

    @property
    def factors(self) -> tuple[int, int, int, int]:
        """Contracted and billed part of a list cost: numerator and denominator of each, as small as they can be."""
        kept, charged = Fraction(self.contracted, WHOLE), Fraction(self.contracted * self.marked_up, _SQUARE)
        return kept.numerator, kept.denominator, charged.numerator, charged.denominator

    def charge(self, *list_costs: int) -> tuple[int, int]:
        """Contracted and billed picodollars of lines: each line rounded once from its list cost, then added up."""
        kept, factor = self.contracted, self.marked_up
        contracted = billed = 0
        for list_cost in list_costs:
            remaining = list_cost * kept
            left = _half_even(remaining, WHOLE)
            contracted += left
            billed += left if factor == WHOLE else _half_even(remaining * factor, _SQUARE)
        return contracted, billed


PLAIN: Final = Terms()


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    if not rest:
        return whole
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole % 2 == 1))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A discount or markup in percent from an instant on; None ends its line. `order` grows with its creation."""

    kind: str
    team_id: int | None
    pattern: Pattern
    percent: Decimal | None
    effective_from: datetime
    order: int

    @property
    def key(self) -> Hashable:
        """What a later one replaces."""
        return (self.kind, self.team_id, self.pattern)

    @property
    def preference(self) -> tuple[object, ...]:
        """Sort key: of those that hold, the largest applies. A team goes before a model, that before a provider."""
        return (self.team_id is not None, *self.pattern.preference, self.effective_from, self.order)


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose figure counts from an instant on."""

    policy: str
    adjust_reported: bool
    effective_from: datetime
    order: int


@dataclass(frozen=True, slots=True)
class Alias:
    """Which model of the book a name stands for; an empty model ends it, an empty provider is the request's."""

    own: bool
    pattern: Pattern
    provider: str
    model: str
    order: int


class Dated(Protocol):
    """What holds from an instant on."""

    @property
    def effective_from(self) -> datetime:
        """The first instant."""

    @property
    def order(self) -> int:
        """Grows with the time of creation."""


_D = TypeVar("_D", bound=Dated)


def _latest(rows: Iterable[_D], at: datetime) -> _D | None:
    holding = (row for row in rows if row.effective_from <= at)
    return max(holding, key=lambda row: (row.effective_from, row.order), default=None)


def terms(adjustments: Iterable[Adjustment], policies: Iterable[Policy], at: datetime) -> Terms:
    """The terms at an instant, of adjustments that speak of the request's model and team."""
    current: dict[Hashable, Adjustment] = {}
    for one in adjustments:
        rival = current.get(one.key)
        if one.effective_from <= at and (rival is None or _latest((rival, one), at) is one):
            current[one.key] = one
    discount, markup = (_percent(current.values(), kind) for kind in (DISCOUNT, MARKUP))
    policy = _latest(policies, at)
    found = Terms(
        WHOLE - discount,
        WHOLE + markup,
        policy.policy if policy else COMPUTED_FIRST,
        policy.adjust_reported if policy else False,
    )
    return PLAIN if found == PLAIN else found


def _percent(holding: Iterable[Adjustment], kind: str) -> int:
    """Parts per million of the adjustment of that kind that applies; 0 without one."""
    candidates = [one for one in holding if one.kind == kind and one.percent is not None]
    chosen = max(candidates, key=lambda one: one.preference, default=None)
    return parts_per_million(chosen.percent) if chosen and chosen.percent is not None else 0


def parts_per_million(percent: Decimal) -> int:
    """A percentage as parts per million; raises ValueError above four decimals."""
    scaled = percent.scaleb(4)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{percent} has more than four decimals")
    return int(scaled)


def stands_for(aliases: Iterable[Alias], provider: str, model: str) -> tuple[str, str]:
    """Provider and model (lower case) as the price book knows them; not followed further.

    A pattern is compared with the model's name and with `provider/model`. Aliases of the organization go before
    everybody's, then exact before the longest prefix before the longest glob; of one pattern the last row counts.
    """
    current = {(one.own, one.pattern): one for one in sorted(aliases, key=lambda one: one.order)}
    names = (model, f"{provider}/{model}") if provider else (model,)
    found = [
        one for one in current.values() if one.model and any(one.pattern.matches(provider, name) for name in names)
    ]
    best = max(found, key=lambda one: (one.own, *one.pattern.preference), default=None)
    return (best.provider or provider, best.model) if best else (provider, model)
