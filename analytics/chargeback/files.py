"""A statement as CSV: every line rounded and exact, the total last."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from analytics.chargeback.document import Document, Line
from analytics.chargeback.presentation import is_unknown
from analytics.chargeback.rounding import decimals_for, largest_remainder, rounded_total
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


def csv_lines(document: Document) -> Iterator[str]:
    """The file, line by line. `cost_usd` of the rows adds up to that of the total; `cost_exact_usd` is unrounded."""
    return csv_stream.lines(COLUMNS, _rows(document))


def filename(number: str) -> str:
    """Name of the file; numbers of statements hold nothing but letters, digits and hyphens."""
    return f"statement-{number}.csv"


def _rows(document: Document) -> Iterator[list[Cell]]:
    decimals = decimals_for(document.total.cost)
    rounded = largest_remainder([line.amounts.cost for line in document.all_lines], decimals)
    for line, amount in zip(document.all_lines, rounded, strict=True):
        unknown = is_unknown(line.amounts.cost, line.amounts.unpriced_requests)
        yield _row(document, "adjustment" if line.adjusts else "usage", line, None if unknown else amount)
    total, unpriced = document.total, document.coverage[1]
    amount_of_all = None if is_unknown(total.cost, unpriced) else rounded_total(total.cost, decimals)
    yield _row(document, "total", Line("", total), amount_of_all)


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
