"""CSV written column by column: what one column holds is looked at once, not in every cell.

Cells are those of `csv_stream`, which is the definition; this is the fast way to many of them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from metricsportal.lib import csv_stream
from metricsportal.lib.money import usd_text

Written = Iterable[str]
"""The cells of a column."""
Writer = Callable[[Sequence[Any]], Written]
"""Writes one column of one batch; made anew for every file, because it remembers what it has written."""
_REMEMBERED: Final = 50_000  # values of a column: names repeat, ids of requests do not


class Remembered(dict[Any, str]):
    """The written forms of values seen before, a bounded number of them."""

    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, value: object) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        written = self[value] = self._write(value)
        return written


def texts() -> Writer:
    """Text (or None): guarded against formulas, quoted where needed."""
    return _by_value(csv_stream.cell)


def verbatim() -> Writer:
    """Text (or None) as it is: quoted where needed, not guarded. For files that programs read."""
    return _by_value(csv_stream.unguarded)


def reals() -> Writer:
    """Numbers with decimals (or None). Percentiles repeat: there are fewer buckets than rows."""
    return _by_value(csv_stream.cell)


def flags() -> Writer:
    """True, false or None."""
    return _by_value(csv_stream.cell)


def wholes() -> Writer:
    """Integers (or None), which need no form of their own."""

    def write(values: Sequence[int | None]) -> Written:
        return ["" if value is None else str(value) for value in values] if None in values else map(str, values)

    return write


def money() -> Writer:
    """Picodollars (or None) as US dollars with all of their decimals."""
    return lambda values: [usd_text(value) or "" for value in values]


def lines(columns: Sequence[Sequence[Any]], writers: Sequence[Writer]) -> str:
    """The rows of a batch, each with its CRLF; `columns` have the same length, `writers` write one each."""
    cells = [write(values) for write, values in zip(writers, columns, strict=True)]
    # One empty cell is written as `""`, because a blank line is not a row.
    if len(cells) == 1:
        return "".join(f"{cell if cell != '' else _EMPTY}\r\n" for cell in cells[0])
    return "\r\n".join([*map(",".join, zip(*cells, strict=True)), ""])


_EMPTY: Final = '""'


def _by_value(write: Callable[[Any], str]) -> Writer:
    remembered = Remembered(write)
    return lambda values: map(remembered.__getitem__, values)
