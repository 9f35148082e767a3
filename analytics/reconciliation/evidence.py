"""Rules about what one side does not have, or has elsewhere: what each looks at. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from analytics.reconciliation.comparing import Comparison, Line, Measure
from ingestion.records import CostState
from metricsportal.lib.formats import exact, usd

_NOISE: Final = 1_000
"""Picodollars that a binary fraction in the provider's file may be off by."""


class Reason(NamedTuple):
    """A likely reason. `amount`: picodollars of the difference that it could explain, theirs less ours."""

    key: str
    title: str
    says: str
    amount: int | None


def gone(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Days of which nothing is kept here."""
    if compared.ours.gone:
        first, last = compared.ours.gone
        says = (
            f"Of {first} to {last} neither requests nor closed months are kept here: there is nothing to compare with."
        )
        yield Reason("gone", "Requests no longer kept", says, None)


def only_on_the_bill(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Models and days that we know nothing of."""
    lines = missing(compared, "ours")
    if lines:
        says = (
            f"{where(lines)} stand on the bill alone. They did not come through the gateway, or under a name that "
            "could not be matched."
        )
        yield Reason("only-bill", "Use that we did not see", says, cost_of(compared, lines))


def only_here(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Models and days that the bill does not have."""
    lines = missing(compared, "theirs")
    if lines:
        says = (
            f"{where(lines)} stand here alone: billed on another invoice, under a name that could not be matched, "
            "or free."
        )
        yield Reason("only-here", "Use that is not on the bill", says, cost_of(compared, lines))


def missing(compared: Comparison, side: str) -> list[Line]:
    """Lines of models that one side does not have on that day at all."""
    found: dict[tuple[object, str], list[Line]] = {}
    for line in main_lines(compared):
        found.setdefault((line.day, line.model), []).append(line)
    return [line for lines in found.values() if all(not getattr(one, side) for one in lines) for line in lines]


def main_lines(compared: Comparison) -> Sequence[Line]:
    """Lines of what matters most: the cost where the file says it."""
    table = compared.table(Measure.COST) or compared.table(Measure.QUANTITY) or compared.table(Measure.REQUESTS)
    return table.lines if table else ()


def cost_of(compared: Comparison, lines: Sequence[Line]) -> int | None:
    """What lines differ by, in picodollars; None where the file says no cost."""
    return sum(line.difference for line in lines) if compared.table(Measure.COST) else None


def where(lines: Sequence[Line]) -> str:
    """Models and days in words."""
    models = sorted({line.model for line in lines})
    days = sorted({line.day for line in lines})
    named = ", ".join(models[:5]) + (f" and {exact(len(models) - 5)} more" if len(models) > 5 else "")
    return f"{named or 'Costs without a model'} on {days[0]}" if len(days) == 1 else f"{named} on {len(days)} days"


def cost_lines(compared: Comparison) -> Sequence[Line]:
    """Lines of the cost; none where the file does not say it."""
    table = compared.table(Measure.COST)
    return table.lines if table else ()


def unpriced(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Requests that have no price here."""
    has_classes = any(line.token_class for line in cost_lines(compared))
    without = {
        (row.day, row.model, row.token_class if has_classes else "")
        for row in compared.rows
        if row.state == CostState.UNPRICED.value
    }
    lines = [line for line in cost_lines(compared) if line[:3] in without and line.difference > 0]
    if lines:
        says = f"{where(lines)}: requests without a price here count nothing. Add a price and reprice them."
        yield Reason("unpriced", "No price here", says, cost_of(compared, lines))


def reported(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Costs that the gateway told."""
    told = {(row.day, row.model) for row in compared.rows if row.state == CostState.REPORTED.value}
    lines = [line for line in cost_lines(compared) if (line.day, line.model) in told and line.difference]
    if lines:
        says = f"{where(lines)}: costs here are the gateway's own estimates, not worked out by the price book."
        yield Reason("reported", "Costs reported by the gateway", says, cost_of(compared, lines))


def failures(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Failed and retried requests."""
    theirs = {ours: name for name, many in compared.matched.items() for ours in many}
    failed = {(one.day, theirs[one.model]): one for one in compared.ours.failures if one.model in theirs}
    billed = [line for line in main_lines(compared) if line.difference > 0 and (line.day, line.model) in failed]
    if billed:
        number = sum(failed[key].number for key in {(line.day, line.model) for line in billed})
        says = (
            f"{where(billed)}: {exact(number)} failed here, mostly without known tokens. "
            "The provider may have billed what was generated before the failure, and every retry."
        )
        yield Reason("failures", "Failed and retried requests", says, cost_of(compared, billed))
    short = {(line.day, line.model) for line in cost_lines(compared) if line.difference < 0}
    spent = sum(one.cost for key, one in failed.items() if key in short)
    if spent:
        says = f"Failed requests with known tokens cost {usd(spent)} here. The provider may not have billed them."
        yield Reason("failures-here", "Failures that cost something here", says, -spent)


def day_borders(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """What is on another day there, and cancels out over the days."""
    by_model: dict[str, dict[object, int]] = {}
    for line in main_lines(compared):
        days = by_model.setdefault(line.model, {})
        days[line.day] = days.get(line.day, 0) + line.difference
    moved = {}
    for model, days in by_model.items():
        net, gross = sum(days.values()), sum(map(abs, days.values()))
        if gross > _NOISE and abs(net) * 10 <= gross:
            moved[model] = net
    if moved:
        named = ", ".join(sorted(moved)[:5]) or "Costs"
        says = (
            f"{named}: days differ, their sum hardly does. Days are compared in UTC; a file in another time zone, or "
            "requests that ran over midnight, stand on the day beside."
        )
        amount = sum(moved.values()) if compared.table(Measure.COST) else None
        yield Reason("day-borders", "Borders of days", says, amount)


def rounding(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Differences that are smaller than the last decimal of the file."""
    least = max(10 ** (12 - decimals), _NOISE)
    lines = [line for line in cost_lines(compared) if 0 < abs(line.difference) <= least]
    if lines:
        says = f"{exact(len(lines))} lines differ by no more than {usd(least)}: the file has no more decimals."
        yield Reason("rounding", "Rounding", says, cost_of(compared, lines))
