"""What a budget counts: as filters of a question, and in words."""

from typing import Final

from analytics.catalog.dimensions import BY_NAME, METADATA_PREFIX
from analytics.models import Budget
from analytics.query.keys import find_any
from analytics.query.values import Filter, Operator

KINDS: Final = ("user", "virtual_account", "model")
"""Dimensions that a budget may be about, besides the whole and registered keys of metadata."""


def value_of(budget: Budget) -> str:
    """The value of its dimension, as traffic names it now."""
    if budget.user is not None:
        return budget.user.name
    return budget.account.name if budget.account is not None else budget.value


def filters_of(budget: Budget) -> tuple[Filter, ...]:
    """What leaves the requests that it counts. Raises LookupError for a metadata key that is not registered."""
    found = []
    if budget.team is not None:
        found.append(Filter(BY_NAME["team"], Operator.EQ, (budget.team.name,)))
    if budget.dimension:
        dimension = find_any(budget.dimension, budget.organization_id)
        if dimension is None:
            raise LookupError(f"{budget.dimension} is not registered any more.")
        found.append(Filter(dimension, Operator.EQ, (value_of(budget),)))
    return tuple(found)


def words(budget: Budget) -> str:
    """Whose use: team Search; model gpt-4o of team Search; the whole organization."""
    team = f"team {budget.team.name}" if budget.team is not None else ""
    if not budget.dimension:
        return team or "the whole organization"
    what = f"{label(budget.dimension)} {value_of(budget)}"
    return f"{what} of {team}" if team else what


def label(dimension: str) -> str:
    """The dimension in a sentence: virtual account; tenant."""
    if dimension.startswith(METADATA_PREFIX):
        return dimension.removeprefix(METADATA_PREFIX)
    return BY_NAME[dimension].label.lower()
