"""What a request costs: the price book's figure or the gateway's, as the organization's policy says. Pure."""

from typing import Final

import msgspec

from ingestion.pricing.arithmetic import NO_UNITS, Quantities, Rates, Units, lines, product
from ingestion.pricing.terms import COMPUTED_ONLY, PLAIN, REPORTED_FIRST, REPORTED_ONLY, Terms
from ingestion.records import CostState


class Settled(msgspec.Struct, frozen=True, gc=False):
    """What a request costs in picodollars and where the figure comes from; None = unpriced, not in the book.

    `list_cost` is the price book's, `contracted_cost` what remains after the discount, `cost` what is billed.
    """

    state: CostState
    cost: int | None
    list_cost: int | None
    contracted_cost: int | None

    @property
    def largest(self) -> int:
        """The largest of the amounts that are known."""
        return max(self.cost or 0, self.list_cost or 0, self.contracted_cost or 0)


_NOTHING: Final = Settled(CostState.NONE, 0, 0, 0)


def settle(
    quantities: Quantities | None,
    prices: Rates,
    *,
    failed: bool,
    tokens_absent: bool,
    reported: int | None,
    units: Units = NO_UNITS,
) -> Settled:
    """The cost by the policy in force; nothing billable costs 0, what has no usable figure is unpriced.

    `quantities` None = the tokens are not fully known; `tokens_absent` = neither input nor output tokens were sent.
    """
    if prices.simple and quantities is not None and prices.request is None and not units:
        # What nearly every request is, in a third of the time: whole lines add up to what their sum is charged.
        total = product(quantities, prices.tokens)  # type: ignore[arg-type]  # simple: none is None
        if total:
            agreed = prices.agreed
            contracted, billed = (total, total) if agreed is PLAIN else agreed.charge_exactly(total)
            return Settled(CostState.COMPUTED, billed, total, contracted)
    pieces = any(units.values())
    if quantities is None:
        listed, billable = None, pieces or not (failed and tokens_absent)
    else:
        listed = lines(quantities, prices, units, failed=failed)
        billable = pieces or any(quantities) or bool(prices.request and not failed)
    if not billable and not reported:
        return _NOTHING
    # Nothing billable is known and yet the gateway says that it cost something: the book has no figure for that.
    return _choose(prices.agreed, listed or None, reported)


def _choose(agreed: Terms, listed: list[int] | None, reported: int | None) -> Settled:
    """Of the two figures the one that the policy takes first."""
    own = None if agreed.policy == REPORTED_ONLY else listed
    theirs = None if agreed.policy == COMPUTED_ONLY else reported
    book = None if listed is None else sum(listed)
    if theirs is not None and (own is None or agreed.policy == REPORTED_FIRST):
        contracted, billed = agreed.charge(theirs) if agreed.adjust_reported else (theirs, theirs)
        return Settled(CostState.REPORTED, billed, book, contracted)
    if own is None or book is None:
        return Settled(CostState.UNPRICED, None, book, None)
    if agreed.plain:
        return Settled(CostState.COMPUTED, book, book, book)
    contracted, billed = agreed.charge(*own)
    return Settled(CostState.COMPUTED, billed, book, contracted)


def gateway_cache_hit() -> Settled:
    """An answer from the gateway's own cache: nothing billable, whatever its tokens."""
    return _NOTHING
