"""What stands behind the lines of a statement, by virtual account and token class: from the rows frozen with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Sum
from django.db.models.functions import Length

from analytics.catalog.dimensions import NO_VALUE
from analytics.chargeback.document import Document
from analytics.exports.focus import words
from analytics.exports.focus.line import Account, Line, plain
from analytics.meters import frozen
from analytics.meters.values import NOT_ITEMISED, REPORTED, SHARED, UNPRICED, Key, Meter, merged
from analytics.models import Statement
from metricsportal.lib import csv_stream, formats
from metricsportal.lib.csv_stream import Cell
from metricsportal.lib.money import usd_text

MOST_SHOWN: Final = 100
MOST_BYTES: Final = 2 << 20
"""Of the frozen rows of a month (of all teams, compressed) that are read to show a page: about 100,000 rows."""
COLUMNS: Final = (
    *("statement", "organization", "team", "month", "kind", "adjusts", "model", "virtual_account", "token_class"),
    *("quantity", "unit", "price_usd", "price_of", "list_cost_usd", "cost_exact_usd"),
)
_NOWHERE: Final = Account("", "")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A token class of a model and an account at one price; costs in picodollars.

    `price` in US dollars per `price_of`; None where none explains the cost: reported, unpriced, corrections of prices.
    """

    model: str
    adjusts: str | None
    account: str | None
    token_class: str
    quantity: int | None
    unit: str | None
    price: Decimal | None
    price_of: str | None
    unpriced: bool
    list: int
    cost: int


@dataclass(frozen=True, slots=True)
class Shown:
    """The table of a page: its largest rows, and what the others are. `too_large`: only as file."""

    rows: tuple[Mapping[str, str], ...] = ()
    others: str = ""
    too_large: bool = False


def class_rows(statement: Statement, document: Document) -> list[ClassRow] | None:
    """They add up to the lines of the statement, to the picodollar; None where its month was frozen without rows."""
    period = statement.period
    if not period.meters.exists():
        return None
    mine = merged(
        Meter(_kept(key), amounts, has_quantity)
        for key, amounts, has_quantity in frozen.rows_of_team(period, statement.team_id)
        if key.meter != SHARED  # a share is a line of its own, of no requests
    )
    places = {(_month(line.adjusts), line.model): place for place, line in enumerate(document.all_lines)}
    found = [_row(one) for one in mine]
    return sorted(found, key=lambda one: (places.get((one.adjusts, one.model), len(places)), one.account or "\uffff"))


def shown(statement: Statement, document: Document) -> Shown | None:
    """The table for a page; None where there are no rows."""
    size = statement.period.meters.aggregate(size=Sum(Length("content")))["size"]
    if size is not None and size > MOST_BYTES:
        return Shown(too_large=True)
    rows = class_rows(statement, document)
    if not rows:
        return None
    largest = {id(one) for one in sorted(rows, key=lambda one: -abs(one.cost))[:MOST_SHOWN]}
    left = [one for one in rows if id(one) not in largest]
    cost = formats.usd(sum(one.cost for one in left))
    others = f"{len(left):,} smaller rows, together {cost}, are in the file." if left else ""
    return Shown(tuple(_words(one) for one in rows if id(one) in largest), others)


def class_csv(document: Document, rows: Sequence[ClassRow]) -> Iterator[str]:
    """All rows as CSV, exact."""
    return csv_stream.lines(COLUMNS, (_cells(document, one) for one in rows))


def as_json(row: ClassRow) -> dict[str, Any]:
    """A row in an answer of the API."""
    return {
        "model": row.model,
        "adjusts": row.adjusts,
        "virtual_account": row.account,
        "token_class": row.token_class,
        "quantity": row.quantity,
        "unit": row.unit,
        "price_usd": None if row.price is None else plain(row.price),
        "price_of": row.price_of,
        "list_cost_usd": _money(row, row.list),
        "cost_usd": _money(row, row.cost),
    }


def _kept(key: Key) -> Key:
    """By what rows are told apart here."""
    return Key(
        day="",
        account_id=key.account_id,
        account=key.account,
        model=key.model,
        state=key.state,
        meter=key.meter,
        price=key.price,
        unit=key.unit,
        adjusts=key.adjusts,
        booked=key.booked,
    )


def _row(meter: Meter) -> ClassRow:
    line, key = Line(meter, _NOWHERE), meter.key
    priced = key.state != UNPRICED and key.meter not in (REPORTED, NOT_ITEMISED)
    price = line.list_price if priced else None
    return ClassRow(
        model=key.model or NO_VALUE,
        adjusts=key.adjusts,
        account=key.account,
        token_class=key.meter,
        quantity=line.consumed,
        unit=line.consumed_unit,
        price=price,
        price_of=None if price is None else line.pricing_unit,
        unpriced=key.state == UNPRICED,
        list=meter.amounts.list,
        cost=meter.amounts.billed,
    )


def _month(month: Any) -> str | None:  # noqa: ANN401 - a date or None
    return f"{month:%Y-%m}" if month else None


def _money(row: ClassRow, picodollars: int) -> str | None:
    return None if row.unpriced else usd_text(picodollars)


def _words(row: ClassRow) -> dict[str, str]:
    price = "" if row.price is None else f"${plain(row.price)}"
    return {
        "model": row.model,
        "adjusts": row.adjusts or "",
        "account": row.account or "",
        "token_class": words.meter_name(row.token_class),
        "quantity": formats.exact(row.quantity),
        "price": f"{price} / 1M" if row.price_of and row.price_of.startswith("1000000") else price,
        "list": "no price" if row.unpriced else formats.usd(row.list),
        "cost": "no price" if row.unpriced else formats.usd(row.cost),
        "exact": _money(row, row.cost) or "",
    }


def _cells(document: Document, row: ClassRow) -> list[Cell]:
    listed, cost = _money(row, row.list), _money(row, row.cost)
    return [
        *(document.number, document.organization, document.team, f"{document.month:%Y-%m}"),
        *("adjustment" if row.adjusts else "usage", row.adjusts, row.model, row.account, row.token_class),
        *(row.quantity, row.unit, row.price, row.price_of),
        *(Decimal(listed) if listed else None, Decimal(cost) if cost else None),
    ]
