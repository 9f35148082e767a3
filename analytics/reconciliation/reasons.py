"""Why a bill and our figures may differ: rules, each with its evidence and the amount that it could explain. Pure.

A rule says what it saw, not what is true: several may explain the same dollar. They are tried in the order of `RULES`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from analytics.reconciliation import evidence, rates
from analytics.reconciliation.comparing import Comparison
from analytics.reconciliation.evidence import Reason

Rule = Callable[[Comparison, int], Iterator[Reason]]
RULES: Final[tuple[Rule, ...]] = (
    evidence.gone,
    evidence.only_on_the_bill,
    evidence.only_here,
    evidence.unpriced,
    rates.terms,
    rates.tier,
    rates.cached,
    rates.price,
    evidence.reported,
    evidence.failures,
    evidence.day_borders,
    evidence.rounding,
)


def reasons(compared: Comparison, decimals: int) -> list[Reason]:
    """What could explain the difference. `decimals`: of the amounts in the file."""
    if all(not line.difference for table in compared.tables.values() for line in table.lines):
        return []
    return [reason for rule in RULES for reason in rule(compared, decimals)]
