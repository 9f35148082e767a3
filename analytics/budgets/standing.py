"""How far a budget is used: one question to the engine, the same that the dashboard asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.budgets.periods import Span
from analytics.budgets.subjects import filters_of
from analytics.catalog.measures import Selection, select
from analytics.models import Budget
from analytics.query.engine import run
from analytics.query.values import Query, RefusedQueryError, Value
from metricsportal.lib import formats
from metricsportal.lib.localtime import Interval
from metricsportal.lib.money import to_picodollars
from metricsportal.lib.timerange import TimeRange
from teams.access import scope_of_organization

_COUNTED: Final = {"usd": (select("cost_usd"),), "tokens": (select("input_tokens"), select("output_tokens"))}
_UNPRICED: Final = select("unpriced_requests")


class UnknownStandingError(Exception):
    """How far the budget is used cannot be said; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was used of which amount, in picodollars or tokens. `unpriced` requests add nothing: "at least" then."""

    unit: str
    span: Span
    used: int
    amount: int
    unpriced: int

    @property
    def per_cent(self) -> float:
        """Of the amount."""
        return 100 * self.used / self.amount

    @property
    def at_least(self) -> bool:
        """Whether more was used than is known."""
        return self.unit == "usd" and self.unpriced > 0

    def has_reached(self, threshold: int) -> bool:
        """Whether so many per cent are used; in whole numbers, so that the last picodollar counts."""
        return self.used * 100 >= threshold * self.amount

    @property
    def share_words(self) -> str:
        """72 %; at least 72 %. Rounded down: 100 % is said when it is reached, not before."""
        whole = self.used * 100 // self.amount
        return f"at least {whole:,} %" if self.at_least else f"{whole:,} %"

    @property
    def share(self) -> float:
        """Of the amount, for programs."""
        return round(self.used / self.amount, 6)

    @property
    def used_words(self) -> str:
        """What was used."""
        words = amount_words(self.unit, self.used)
        return f"at least {words}" if self.at_least else words

    @property
    def unpriced_words(self) -> str:
        """What the figure lacks; "" when it is whole."""
        if not self.at_least:
            return ""
        many = "1 request has" if self.unpriced == 1 else f"{self.unpriced:,} requests have"
        return f"{many} no price and add nothing to it."


def amount_words(unit: str, amount: int) -> str:
    """$1,250.00; 3,000,000 tokens."""
    return formats.usd(amount) if unit == Budget.Unit.USD else f"{formats.exact(amount)} tokens"


def limit_of(budget: Budget, at: datetime | None = None) -> int | None:
    """The amount in picodollars or tokens; `at`: the one that was in force just before, None when there was none."""
    amount = budget.amount
    if at is not None:
        earlier = budget.amounts.filter(set_at__lt=at).last()
        if earlier is None:
            return None
        amount = earlier.amount
    return to_picodollars(amount) if budget.unit == Budget.Unit.USD else int(amount)


def question(budget: Budget, period: TimeRange, interval: Interval | None = None) -> Query:
    """What is asked about the requests that the budget counts. Raises UnknownStandingError."""
    try:
        filters = filters_of(budget)
    except LookupError as error:
        raise UnknownStandingError(str(error)) from None
    selections: tuple[Selection, ...] = (*_COUNTED[budget.unit], _UNPRICED)
    return Query(scope_of_organization(budget.organization), period, selections, filters=filters, interval=interval)


def counted(budget: Budget, row: tuple[Value, ...]) -> int:
    """What a row of an answer adds up to. No value: nothing that has a price, which the unpriced ones tell of."""
    return sum(int(value or 0) for value in row[: len(_COUNTED[budget.unit])])


def standing(budget: Budget, span: Span, now: datetime, amount: int | None = None) -> Standing:
    """What was used in that period, as of now. Raises UnknownStandingError when no complete answer can be given."""
    try:
        total = run(question(budget, span.range), now).summary.total
    except RefusedQueryError as error:
        raise UnknownStandingError(str(error)) from None
    limit = limit_of(budget) if amount is None else amount
    return Standing(budget.unit, span, counted(budget, total), limit or 1, int(total[-1] or 0))
