"""One group of requests taken apart: the arithmetic of ingest, class by class, by the book that priced them.

What comes out is compared with what the requests cost: lines that do not add up to it are not believed, and the cost
is stated in one line. So the sum of all lines is the cost of the requests, always.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from analytics.meters.grouping import Group
from analytics.meters.values import NOT_ITEMISED, REPORTED, REQUESTS, Amounts
from ingestion.pricing.arithmetic import FALLBACK, REQUEST, TOKEN_CLASSES, Entry, Quantities, per_token, per_unit
from ingestion.pricing.terms import PLAIN, WHOLE, Terms
from ingestion.pricing.tokens import WITHOUT_OUTPUT, disjoint
from ingestion.records import UNIT, CostState, RequestRecord

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a record needs one, its tokens do not
REASONING: Final = "reasoning"
OUTPUT: Final = "output"


class Rounded(Exception):  # noqa: N818 - no error: the group is to be read once more
    """Costs of the group were rounded request by request."""


class Prices(NamedTuple):
    """The entry of every class at one time, and the terms."""

    entries: dict[str, Entry | None]
    terms: Terms


class Item(NamedTuple):
    """A line: class, entry that prices it, sums."""

    meter: str
    entry: Entry | None
    amounts: Amounts
    unit: str = ""


def computed(group: Group, prices: Prices) -> list[Item]:
    """The lines of what the price book priced. Raises Rounded."""
    items = list(_priced(group, prices)) if _is_known(group) else []
    sums = Amounts()
    for item in items:
        sums.add(item.amounts)
    if items and (sums.list, sums.contracted, sums.billed) == (group.list, group.contracted, group.billed):
        return items
    if not group.equal:
        raise Rounded  # perhaps only some of them are not what the book says
    return [_one_line(group, NOT_ITEMISED, group.list)]


def reported(group: Group, prices: Prices) -> list[Item]:
    """The one line of what the gateway priced."""
    kept = prices.terms.contracted if prices.terms.adjust_reported else WHOLE
    off = abs(group.reported * kept - group.contracted * WHOLE)
    is_rounded_only = 2 * off <= WHOLE * group.requests if kept != WHOLE else not off
    return [_one_line(group, REPORTED if is_rounded_only else NOT_ITEMISED, group.reported)]


def unpriced(group: Group) -> list[Item]:
    """Quantities without a cost; the number of requests where not even those are known."""
    counts = zip(TOKEN_CLASSES, _quantities(group), strict=True)
    times = group.requests if group.equal else 1
    pieces = ((UNIT + name, count) for name, count in (group.units or {}).items())
    items = [Item(name, None, Amounts(quantity=n * times)) for name, n in (*counts, *pieces) if n]
    items = _with_reasoning(items, apart=False)
    return items or [Item(REQUEST, None, Amounts(quantity=group.requests))]


def _one_line(group: Group, meter: str, listed: int) -> Item:
    whole = (group.tokens["input_tokens"], group.tokens["output_tokens"])
    times = group.requests if group.equal else 1
    known = sum(count or 0 for count in whole) * times
    # The list price of what the book does not say is what was paid; a discount is never negative.
    amounts = Amounts(known or group.requests, max(listed, group.contracted), group.contracted, group.billed)
    return Item(meter, None, amounts, "" if known else REQUESTS)


def _is_known(group: Group) -> bool:
    """As ingest decides whether the tokens are fully known."""
    has_output = group.tokens["output_tokens"] is not None or group.operation in WITHOUT_OUTPUT
    return has_output and group.tokens["input_tokens"] is not None


def _quantities(group: Group) -> Quantities:
    tokens: dict[str, Any] = {name: count for name, count in group.tokens.items() if count is not None}
    record = RequestRecord(request_id="", started_at=_EPOCH, **tokens)
    return disjoint(record, tokens.get("input_tokens", 0), tokens.get("output_tokens", 0))[0]


def _priced(group: Group, prices: Prices) -> Iterator[Item]:
    times = group.requests if group.equal else 1
    found = list(zip(TOKEN_CLASSES, _quantities(group), strict=True))
    found += [(UNIT + name, count) for name, count in (group.units or {}).items()]
    items = [_line(name, count, times, prices, equal=group.equal) for name, count in found if count]
    reasoning = prices.entries.get(REASONING)
    yield from _with_reasoning(items, apart=reasoning is not None and reasoning.token_class == REASONING)
    if prices.entries.get(REQUEST) and group.requests > group.failed:
        yield _line(REQUEST, 1, group.requests - group.failed, prices, equal=True)


def _line(name: str, count: int, times: int, prices: Prices, *, equal: bool) -> Item:
    entry = prices.entries.get(name)
    if entry is None or entry.price is None:
        return Item(name, None, Amounts(count * times))
    price = per_token(entry.price) if name in TOKEN_CLASSES else per_unit(entry.price)
    if not equal and not prices.terms.is_exact(price):
        raise Rounded
    contracted, billed = prices.terms.charge(count * price)
    return Item(name, entry, Amounts(count * times, count * price * times, contracted * times, billed * times))


def _with_reasoning(items: list[Item], *, apart: bool) -> list[Item]:
    """Reasoning without a price of its own is output."""
    by_name = {item.meter: item for item in items}
    thought = by_name.get(REASONING)
    if apart or thought is None:
        return items
    spoken = by_name.get(OUTPUT) or Item(OUTPUT, thought.entry, Amounts())
    spoken.amounts.add(thought.amounts)
    spoken.amounts.reasoning = thought.amounts.quantity
    return [*(item for item in items if item.meter not in (REASONING, OUTPUT)), spoken]


def of(group: Group, prices: Prices) -> list[Item]:
    """The lines of a group. Raises Rounded."""
    if group.state == CostState.COMPUTED.value:
        return computed(group, prices)
    return reported(group, prices) if group.state == CostState.REPORTED.value else unpriced(group)


def terms_of(group: Group, item: Item, prices: Prices) -> Terms:
    """The discount and markup that the amounts of a line bear."""
    if item.meter == NOT_ITEMISED or group.state == CostState.UNPRICED.value:
        return PLAIN
    if group.state == CostState.REPORTED.value:
        return prices.terms if prices.terms.adjust_reported else PLAIN
    return prices.terms


def classes_of(token_class: str) -> Iterator[str]:
    """The class, then those that price it when it has no price."""
    name: str | None = token_class
    while name:
        yield name
        name = FALLBACK.get(name)


def taken(terms: Terms) -> tuple[int, int]:
    """Discount and markup in parts per million."""
    return WHOLE - terms.contracted, terms.marked_up - WHOLE
