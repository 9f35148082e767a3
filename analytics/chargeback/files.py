"""A statement as CSV: every line rounded and exact, the total last."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from analytics.chargeback.document import Document, Line, is_unknown
from analytics.chargeback.rounding import decimals_for, largest_remainder
from analytics.currency import converted
from metricsportal.lib import csv_stream
from metricsportal.lib.csv_stream import Cell
from metricsportal.lib.money import usd_text

COLUMNS: Final = (
    "statement",
    "organization",
    "team",
    "month",
    "kind",
    "adjusts",
    "model",
    "requests",
    "failed_requests",
    "input_tokens",
    "output_tokens",
    "unpriced_requests",
    "cost_usd",
    "cost_exact_usd",
)
CONVERTED: Final = ("currency", "exchange_rate", "cost_in_currency")
"""Columns after those of a statement that was issued with a rate of a second currency; filled in its last row."""


def csv_lines(document: Document) -> Iterator[str]:
    """The file, line by line. `cost_usd` of the rows adds up to that of the total; `cost_exact_usd` is unrounded."""
    rate = document.rate
    if rate is None:
        return csv_stream.lines(COLUMNS, _rows(document))
    amount = None if document.is_unknown else converted(document.charged, rate)
    *rows, last = _rows(document)
    filled = (*([*row, None, None, None] for row in rows), [*last, rate.currency, rate.units.normalize(), amount])
    return csv_stream.lines((*COLUMNS, *CONVERTED), filled)


def filename(number: str) -> str:
    """Name of the file; numbers of statements hold nothing but letters, digits and hyphens."""
    return f"statement-{number}.csv"


def _rows(document: Document) -> Iterator[list[Cell]]:
    decimals = decimals_for(document.total.cost)
    lines = document.shown_lines
    rounded = largest_remainder([line.amounts.cost for line in lines], decimals)
    for place, (line, amount) in enumerate(zip(lines, rounded, strict=True)):
        unknown = is_unknown(line.amounts.cost, line.amounts.unpriced_requests)
        yield _row(document, _kind(document, place), line, None if unknown else amount)
    yield _row(document, "total", Line("", document.total), None if document.is_unknown else document.charged)


def _kind(document: Document, place: int) -> str:
    if place < len(document.lines):
        return "usage"
    return "adjustment" if place < len(document.all_lines) else "shared"


def _row(document: Document, kind: str, line: Line, amount: Cell) -> list[Cell]:
    amounts = line.amounts
    return [
        document.number,
        document.organization,
        document.team,
        f"{document.month:%Y-%m}",
        kind,
        f"{line.adjusts:%Y-%m}" if line.adjusts else None,
        line.model,
        amounts.requests,
        amounts.failed,
        amounts.input_tokens,
        amounts.output_tokens,
        amounts.unpriced_requests,
        amount,
        None if amount is None else _exact(amounts.cost),
    ]


def _exact(picodollars: int) -> Cell:
    text = usd_text(picodollars)
    return Decimal(text) if text else None
