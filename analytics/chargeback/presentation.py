"""A statement in words and rounded figures: one form for page, e-mail and file."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from analytics import currency
from analytics.chargeback import months
from analytics.chargeback.document import Document, Earlier, Line, is_unknown
from analytics.chargeback.rounding import decimals_for, largest_remainder, rounded_total
from analytics.chargeback.usage import Amounts
from metricsportal.lib import formats
from metricsportal.lib.money import usd_text


@dataclass(frozen=True, slots=True)
class Row:
    """One line as displayed. `cost` is rounded so that the rows add up; `exact` is to the picodollar, "" if unknown."""

    model: str
    adjusts: str
    requests: str
    failed: str
    input_tokens: str
    output_tokens: str
    cost: str
    exact: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole statement as displayed."""

    number: str
    slug: str
    organization: str
    team: str
    unassigned: bool
    month: str
    zone: str
    issued: str
    price_book_version: int
    digest: str
    rows: tuple[Row, ...]
    corrections: tuple[Row, ...]
    shared: tuple[Row, ...]
    shared_sum: str
    total: Row
    change: str | None
    previous_month: str
    previous_number: str
    previous_cost: str
    coverage: str
    unpriced: str | None
    converted: str

    @property
    def used_rows(self) -> tuple[Row, ...]:
        """Use of the month, then corrections."""
        return (*self.rows, *self.corrections)

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """Those, then shared costs: what adds up to the total."""
        return (*self.used_rows, *self.shared)

    @property
    def groups(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """All rows in their order, each kind that there is under its heading; the first needs none."""
        every = (("", self.rows), ("Corrections of closed months", self.corrections), ("Shared costs", self.shared))
        return tuple((heading, rows) for heading, rows in every if rows)


def shown(document: Document, digest: str) -> Shown:
    """The statement as displayed; `digest` is the one stored beside it."""
    total = document.total
    decimals = decimals_for(total.cost)
    rounded = largest_remainder([line.amounts.cost for line in document.shown_lines], decimals)
    rows = [_row(line, amount) for line, amount in zip(document.shown_lines, rounded, strict=True)]
    own, stated = len(document.lines), len(document.all_lines)
    earlier = document.previous
    priced, unpriced = document.coverage
    charged = replace(total, unpriced_requests=unpriced)
    return Shown(
        number=document.number,
        slug=document.slug,
        organization=document.organization,
        team=document.team,
        unassigned=document.unassigned,
        month=months.name_of(document.month),
        zone=document.zone,
        issued=_day(document.issued_at.astimezone(ZoneInfo(document.zone)).date()),
        price_book_version=document.price_book_version,
        digest=digest,
        rows=tuple(rows[:own]),
        corrections=tuple(rows[own:stated]),
        shared=tuple(rows[stated:]),
        shared_sum=signed(document.shared_cost) if document.shared else "",
        total=_row(Line("Total", charged), rounded_total(total.cost, decimals), document.shared_cost),
        change=_change(document),
        previous_month=months.name_of(earlier.month) if earlier else "",
        previous_number=earlier.number if earlier else "",
        previous_cost=_earlier_cost(earlier) if earlier else "",
        coverage=_coverage(priced, unpriced),
        unpriced=_unpriced(unpriced),
        converted=_converted(document),
    )


def cost_text(amounts: Amounts, amount: Decimal, shared: int = 0) -> str:
    """$12.30; "at least" where something has no price, and no figure where nothing has one.

    `shared`: what of it came by sharing.
    """
    sign = "-" if amount < 0 else ""
    return _cost_words(f"{sign}${abs(amount):,f}", amounts.cost, amounts.unpriced_requests, shared)


def plain_cost(amounts: Amounts) -> str:
    """An amount that no rows have to add up to, in as many decimals as it needs."""
    return _cost_words(formats.usd(amounts.cost), amounts.cost, amounts.unpriced_requests)


def signed(picodollars: int) -> str:
    """+$1.20 or -$1.20."""
    return f"+{formats.usd(picodollars)}" if picodollars > 0 else formats.usd(picodollars)


def sum_of_charges(amounts: Iterable[Decimal]) -> Decimal:
    """Statements are charged as they are rounded, so their total is the sum of what they say; in cents if it is whole.

    Each of them is within half a unit of its last decimal of what the requests cost.
    """
    total = sum(amounts, Decimal(0))
    cents = total.quantize(Decimal("0.01"))
    return cents if cents == total and total >= 100 else total


def _cost_words(figure: str, picodollars: int, unpriced_requests: int, shared: int = 0) -> str:
    if is_unknown(picodollars, unpriced_requests, shared):
        return "no price"
    return f"at least {figure}" if unpriced_requests > 0 else figure


def _earlier_cost(earlier: Earlier) -> str:
    return _cost_words(formats.usd(earlier.cost), earlier.cost, earlier.unpriced_requests)


def _change(document: Document) -> str | None:
    """From the use of the month before; None where either is unknown or there was none."""
    used, earlier = document.used, document.previous
    if earlier is None or not earlier.cost or is_unknown(used.cost, used.unpriced_requests):
        return None
    return formats.change(used.cost, earlier.cost)[1]


def _row(line: Line, amount: Decimal, shared: int = 0) -> Row:
    amounts = line.amounts
    return Row(
        model=line.model,
        adjusts=months.name_of(line.adjusts) if line.adjusts else "",
        requests=formats.exact(amounts.requests),
        failed=formats.exact(amounts.failed),
        input_tokens=formats.exact(amounts.input_tokens),
        output_tokens=formats.exact(amounts.output_tokens),
        cost=cost_text(amounts, amount, shared),
        exact="" if is_unknown(amounts.cost, amounts.unpriced_requests, shared) else usd_text(amounts.cost) or "",
        amount=amount,
    )


def _coverage(priced: int, unpriced: int) -> str:
    if not priced + unpriced:
        return "Nothing in it was billable."
    if not unpriced:
        return "Every billable request has a price."
    return f"{formats.share(priced / (priced + unpriced))} of the billable requests have a price."


def _unpriced(unpriced: int) -> str | None:
    if not unpriced:
        return None
    one = unpriced == 1
    what = "1 request has" if one else f"{formats.exact(unpriced)} requests have"
    return f"{what} no price and add{'s' if one else ''} nothing to the total."


def _converted(document: Document) -> str:
    """The total in the second currency; "" where there is no rate or nothing to convert."""
    if document.rate is None or document.is_unknown:
        return ""
    words = currency.words(document.charged, document.rate, document.zone)
    return f"at least {words}" if document.coverage[1] else words


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
