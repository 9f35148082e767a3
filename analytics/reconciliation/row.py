"""One row of a provider's file: its cells as days, counts and money, each refusal with line and column. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from analytics.reconciliation.values import BillError
from metricsportal.lib.money import to_picodollars

_MOST_COUNT: Final = 10**15
_MOST_USD: Final = 10**9
_LONGEST_NAME: Final = 256
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{0,40})?([eE][+-]?\d{1,2})?")
_EPOCH: Final = re.compile(r"\d{9,11}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
_YEARS: Final = (2015, 2100)


class Row:
    """Cells by column name. `rounded` counts amounts that had more than 12 decimals, `decimals` the most seen."""

    def __init__(self) -> None:
        self.line = 0
        self.rounded = 0
        self.decimals = 0
        self.currencies = set[str]()
        self._cells: Mapping[str, str] = {}

    def at(self, line: int, cells: Mapping[str, str]) -> None:
        """Go to the next row."""
        self.line, self._cells = line, cells

    def text(self, column: str) -> str:
        """As it stands there; "" for a column that the file does not have."""
        text = self._cells.get(column, "").strip()
        if len(text) > _LONGEST_NAME:
            raise self._wrong(column, f"is longer than {_LONGEST_NAME} characters")
        return text

    def day(self, column: str) -> date:
        """A UTC day: 2026-11-20, with or without a time behind it, or seconds since 1970."""
        text = self.text(column)
        try:
            found = datetime.fromtimestamp(int(text), UTC).date() if _EPOCH.fullmatch(text) else _date(text)
        except (ValueError, OverflowError, OSError) as error:
            raise self._wrong(column, "is no day like 2026-11-20") from error
        if not _YEARS[0] <= found.year <= _YEARS[1]:
            raise self._wrong(column, "is a day that no bill is about")
        return found

    def count(self, column: str) -> int | None:
        """A whole number that is not negative; None for an empty cell."""
        number = self._number(column)
        if number is None:
            return None
        if number < 0 or number > _MOST_COUNT or number != number.to_integral_value():
            raise self._wrong(column, "is no whole number of tokens or requests")
        return int(number)

    def money(self, column: str) -> int | None:
        """US dollars as picodollars, half-even; None for an empty cell."""
        number = self._number(column, dollars=True)
        if number is None:
            return None
        if abs(number) > _MOST_USD:
            raise self._wrong(column, "is more than a billion US dollars")
        exponent = number.normalize().as_tuple().exponent
        places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        self.rounded += places > 12
        self.decimals = max(self.decimals, min(places, 12))
        return to_picodollars(number)

    def currency(self, column: str) -> None:
        """Note the currency of the row; an empty cell is none."""
        text = self.text(column).upper()
        if text:
            self.currencies.add(text)
        if len(self.currencies) > 1:
            raise self._wrong(column, "is a second currency; a file has to be of one")
        if self.currencies - {"USD"}:
            raise self._wrong(column, "is not usd; amounts are compared in US dollars only")

    def less(self, column: str, whole: int, *parts: int) -> int:
        """What is left of a count without its parts."""
        left = whole - sum(parts)
        if left < 0:
            raise self._wrong(column, "is less than the sum of its parts")
        return left

    def _number(self, column: str, *, dollars: bool = False) -> Decimal | None:
        text = self.text(column)
        text = text.removeprefix("$") if dollars else text
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise self._wrong(column, "is no number like 1234.56")
        try:
            return Decimal(text)
        except InvalidOperation as error:
            raise self._wrong(column, "is no number like 1234.56") from error

    def _wrong(self, column: str, says: str) -> BillError:
        shown = self._cells.get(column, "").strip()
        shown = shown if len(shown) <= 60 else shown[:59] + "…"
        return BillError(f"Line {self.line}, column {column}: “{shown}” {says}.")


def _date(text: str) -> date:
    found = _DAY.match(text)
    if found is None:
        raise ValueError(text)
    return date.fromisoformat(found[0])
