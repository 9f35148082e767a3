"""Rules about what was charged per token: terms, tiers, cached tokens, prices. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from analytics.reconciliation.comparing import BASES, Comparison, Line, Measure
from analytics.reconciliation.evidence import Reason, cost_lines, cost_of, main_lines, where
from metricsportal.lib.formats import usd

_WORDS: Final = {"contracted": "after the discount", "list": "at list prices", "billed": "after discount and markup"}
_STANDARD: Final = ("", "standard", "default")
_CLOSE: Final = 200
"""Two amounts are alike when they differ by less than one part in so many."""


def _alike(one: int, other: int) -> bool:
    return abs(one - other) * _CLOSE <= max(abs(one), abs(other))


def _theirs(compared: Comparison) -> dict[str, int]:
    """What each model that both sides have costs on the bill."""
    found = Counter[str]()
    for line in cost_lines(compared):
        found[line.model] += line.theirs or 0
    return {model: cost for model, cost in found.items() if cost}


def _on_another_basis(compared: Comparison) -> dict[str, tuple[str, int]]:
    """Models whose bill is what another of our costs says: which, and how much that is off the compared one."""
    sums = {basis: Counter[str]() for basis in BASES}
    for row in compared.rows:
        for basis in BASES:
            sums[basis][row.model] += getattr(row, basis)
    found = {}
    for model, cost in _theirs(compared).items():
        mine = sums[compared.basis][model]
        fits = [one for one in BASES if sums[one][model] != mine and _alike(cost, sums[one][model])]
        if fits and not _alike(cost, mine):
            found[model] = (fits[0], sums[fits[0]][model] - mine)
    return found


def terms(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """A discount or markup that only one side has."""
    for basis in BASES:
        off = {model: one[1] for model, one in _on_another_basis(compared).items() if one[0] == basis}
        if off:
            says = (
                f"{', '.join(sorted(off)[:5])}: the bill is what the requests cost {_WORDS[basis]}; compared is the "
                f"cost {_WORDS[compared.basis]}. Check the discounts and markups, or compare with the other cost."
            )
            yield Reason(f"terms-{basis}", "Discount or markup", says, sum(off.values()))


def tier(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """A batch or another service tier that the gateway did not tell."""
    known = {(row.day, row.model, row.tier) for row in compared.rows if row.tier not in _STANDARD}
    untold: dict[str, set[tuple[date, str]]] = {}
    for one in compared.figures:
        if one.tier not in _STANDARD and (*one[:2], one.tier) not in known:
            untold.setdefault(one.tier, set()).add(one[:2])
    for name, pairs in sorted(untold.items()):
        lines = [line for line in main_lines(compared) if (line.day, line.model) in pairs]
        if lines:
            says = f"{where(lines)}: the bill has the service tier “{name}”; requests here do not say it."
            yield Reason("tier", "Service tier", says, cost_of(compared, lines))
    half = [] if untold else [line for line in cost_lines(compared) if line.theirs and _is_half(line)]
    if half:
        says = f"{where(half)}: half of what it costs here, as batches do."
        yield Reason("tier-half", "Batch prices", says, cost_of(compared, half))


def _is_half(line: Line) -> bool:
    return bool(line.ours) and _alike((line.theirs or 0) * 2, line.ours or 0)


def cached(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Cached tokens that one side priced, or counted, as input."""
    table = compared.table(Measure.COST) or compared.table(Measure.QUANTITY)
    lines: list[Line] = []
    pairs: dict[tuple[date, str], dict[str, Line]] = {}
    for line in table.lines if table else ():
        pairs.setdefault((line.day, line.model), {})[line.token_class] = line
    for by_class in pairs.values():
        fresh, stored = by_class.get("input"), by_class.get("cache_read")
        if (
            fresh
            and stored
            and fresh.difference * stored.difference < 0
            and 0 in (stored.theirs or 0, stored.ours or 0)
        ):
            lines += [fresh, stored]
    if lines:
        side = "on the bill" if any(not line.theirs for line in lines) else "here"
        says = f"{where(lines)}: cached input is counted as input {side}."
        yield Reason("cached", "Cached tokens as input", says, cost_of(compared, lines))
    elif table and table.measure is Measure.COST:
        yield from _whole(compared)


def _whole(compared: Comparison) -> Iterator[Reason]:
    """Bills without classes: what cached tokens would cost as input is the difference."""
    lines = [
        line
        for line in cost_lines(compared)
        if not line.token_class and line.difference and _alike(line.difference, _if_input(compared, line))
    ]
    if lines:
        says = f"{where(lines)}: the difference is what cached tokens would cost at the price of input."
        yield Reason("cached", "Cached tokens as input", says, cost_of(compared, lines))


def _if_input(compared: Comparison, line: Line) -> int:
    """What would be added if cached tokens cost as much as input."""
    mine = [row for row in compared.rows if (row.day, row.model) == (line.day, line.model)]
    fresh, stored = ([row for row in mine if row.token_class == name] for name in ("input", "cache_read"))
    tokens = sum(row.quantity for row in fresh)
    if not tokens:
        return 0
    price = Decimal(sum(row.contracted for row in fresh)) / tokens
    return int(price * sum(row.quantity for row in stored)) - sum(row.contracted for row in stored)


def price(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """A class of a model whose cost is off by the same factor on every day, or from one day on."""
    elsewhere = _on_another_basis(compared)
    of_class: dict[tuple[str, str], list[Line]] = {}
    for line in cost_lines(compared):
        if line.theirs and line.ours and line.model not in elsewhere and not _is_half(line):
            of_class.setdefault((line.model, line.token_class), []).append(line)
    for lines in of_class.values():
        off = [line for line in lines if not _alike(line.theirs or 0, line.ours or 0)]
        if off and _to_the_end(lines, off) and _one_factor(off) and _used_alike(compared, off):
            yield Reason("price", "Another price", _priced(compared, lines, off), cost_of(compared, off))


def _to_the_end(lines: Sequence[Line], off: Sequence[Line]) -> bool:
    """Whether no day agrees after the first one that does not."""
    return all(line in off for line in lines if line.day >= off[0].day)


def _one_factor(lines: Sequence[Line]) -> bool:
    first = lines[0]
    return all(_alike((line.theirs or 0) * (first.ours or 0), (first.theirs or 0) * (line.ours or 0)) for line in lines)


def _used_alike(compared: Comparison, lines: Sequence[Line]) -> bool:
    """Whether the file, where it counts tokens, counts as many as we do: else it is no matter of prices."""
    table = compared.table(Measure.QUANTITY)
    pairs = {(line.day, line.model) for line in lines}
    return not any(one.difference for one in (table.lines if table else ()) if (one.day, one.model) in pairs)


def _priced(compared: Comparison, lines: Sequence[Line], off: Sequence[Line]) -> str:
    since = f" since {off[0].day}" if len(off) < len(lines) else ""
    tokens = _quantity(compared, off)
    if not tokens or not off[0].token_class:
        return f"{where(off)}: off by the same factor{since}. Is an entry of the price book missing, or older?"
    theirs, mine = (
        usd(sum(one or 0 for one in side) * 10**6 // tokens) for side in zip(*(x[3:] for x in off), strict=True)
    )
    return (
        f"{off[0].model}, {off[0].token_class}: {theirs} per million tokens on the bill, {mine} here{since}. "
        "Is an entry of the price book missing, or older?"
    )


def _quantity(compared: Comparison, lines: Sequence[Line]) -> int:
    keys = {line[:3] for line in lines}
    return sum(row.quantity for row in compared.rows if (row.day, row.model, row.token_class) in keys)
