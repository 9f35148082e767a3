"""What every file holds: named columns of a kind, and their values in batches that come one after the other.

A format consumes batches; a source makes them, at most `BATCH_ROWS` rows each. Neither knows of the other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

BATCH_ROWS: Final = 10_000
"""Rows in memory at a time; enough that what is done once per batch and column costs nothing."""


class Kind(Enum):
    """What the values of a column are; every one of them may be None instead: no value."""

    TEXT = auto()
    WHOLE = auto()
    VERBATIM = auto()
    """Text that CSV holds as it is, unguarded: what it looks like to a spreadsheet is not changed."""
    REAL = auto()
    """Floats (or ints)."""
    MONEY = auto()
    """Whole picodollars; leaves as US dollars."""
    FLAG = auto()
    OBJECT = auto()
    """A JSON object: nested where the format has objects, its text elsewhere."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: one list of values per column, in the order of the table's columns, all of the same length.

    `mark`: where the source goes on after this batch; None = it cannot go on between this batch and the next.
    """

    columns: Sequence[Sequence[Any]]
    mark: str | None = None

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.columns[0])


@dataclass(slots=True)
class Table:
    """Rows on their way into a file. Can be taken once.

    `ending` tells, given the number of rows, what stands behind the last one (totals and meta). `rows_name`: under
    which name a JSON document holds the rows. `manifest`: what the file is the answer to. `bare`: readers
    of lines expect rows and nothing behind them.
    """

    columns: tuple[Column, ...]
    batches: Iterator[Batch]
    ending: Callable[[int], Mapping[str, Any]]
    manifest: Mapping[str, Any]
    rows_name: str = "rows"
    bare: bool = False
    written: int = 0

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    def taken(self) -> Iterator[Batch]:
        """The batches, counted."""
        for batch in self.batches:
            self.written += batch.rows
            yield batch

    def end(self) -> Mapping[str, Any]:
        """What stands behind the last row; complete once every batch was taken."""
        return self.ending(self.written)
