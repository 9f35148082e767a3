"""What each rule looks at. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analytics.reconciliation.comparing import Comparison, Line, Measure
from metricsportal.lib.formats import exact


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
    lines = _missing(compared, "ours")
    if lines:
        says = (
            f"{_where(lines)} stand on the bill alone. They did not come through the gateway, or under a name that "
            "could not be matched."
        )
        yield Reason("only-bill", "Use that we did not see", says, _cost(compared, lines))


def only_here(compared: Comparison, decimals: int) -> Iterator[Reason]:
    """Models and days that the bill does not have."""
    lines = _missing(compared, "theirs")
    if lines:
        says = (
            f"{_where(lines)} stand here alone: billed on another invoice, under a name that could not be matched, "
            "or free."
        )
        yield Reason("only-here", "Use that is not on the bill", says, _cost(compared, lines))


def _missing(compared: Comparison, side: str) -> list[Line]:
    """Lines of models that one side does not have on that day at all."""
    found: dict[tuple[object, str], list[Line]] = {}
    for line in _main(compared):
        found.setdefault((line.day, line.model), []).append(line)
    return [line for lines in found.values() if all(not getattr(one, side) for one in lines) for line in lines]


def _main(compared: Comparison) -> Sequence[Line]:
    table = compared.table(Measure.COST) or compared.table(Measure.QUANTITY) or compared.table(Measure.REQUESTS)
    return table.lines if table else ()


def _cost(compared: Comparison, lines: Sequence[Line]) -> int | None:
    return sum(line.difference for line in lines) if compared.table(Measure.COST) else None


def _where(lines: Sequence[Line]) -> str:
    models = sorted({line.model for line in lines})
    days = sorted({line.day for line in lines})
    named = ", ".join(models[:5]) + (f" and {exact(len(models) - 5)} more" if len(models) > 5 else "")
    return f"{named or 'Costs without a model'} on {days[0]}" if len(days) == 1 else f"{named} on {len(days)} days"
