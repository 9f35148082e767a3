"""What a request costs: the price book's figure or the gateway's, as the organization's policy says. Pure."""

from typing import Final

import msgspec

from ingestion.pricing.arithmetic import MAX_PICODOLLARS, NO_UNITS, Exact, Quantities, Rates, Units, lines
from ingestion.pricing.terms import COMPUTED_ONLY, REPORTED_FIRST, REPORTED_ONLY, Terms
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
    def fits(self) -> bool:
        """Whether the database can hold the amounts."""
        # What remains after the discount is never more than what is billed.
        return (self.list_cost or 0) <= MAX_PICODOLLARS >= (self.cost or 0)


_NOTHING: Final = Settled(CostState.NONE, 0, 0, 0)
_COMPUTED: Final = CostState.COMPUTED  # looking into an enumeration takes longer than all of the arithmetic


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
    if prices.exact is not None and quantities is not None and not units:
        settled = _exactly(quantities, prices.exact)
        if settled is not None:
            return settled
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


def _exactly(quantities: Quantities, exact: Exact) -> Settled | None:
    """What nearly every request costs, in a third of the time: nothing is rounded.

    None = it costs nothing, or has something without a price. The product is written out, because most requests have
    none of the rarer classes.
    """
    prices, factors = exact
    into, read, write, write_1h, heard, seen, out, reasoning, spoken, drawn = quantities
    total = into * prices[0] + read * prices[1] + out * prices[6] + reasoning * prices[7]
    if write or write_1h or heard or seen or spoken or drawn:
        total += write * prices[2] + write_1h * prices[3] + heard * prices[4] + seen * prices[5]
        total += spoken * prices[8] + drawn * prices[9]
    if total <= 0:
        return None
    if factors is None:
        return Settled(_COMPUTED, total, total, total)
    kept, of, charged, of_all = factors
    return Settled(_COMPUTED, total * charged // of_all, total, total * kept // of)


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
        return Settled(_COMPUTED, book, book, book)
    contracted, billed = agreed.charge(*own)
    return Settled(_COMPUTED, billed, book, contracted)


def gateway_cache_hit() -> Settled:
    """An answer from the gateway's own cache: nothing billable, whatever its tokens."""
    return _NOTHING
