"""Where the rows of a file come from: a question that can be begun, and gone on with after an interruption."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

from analytics.exports.table import Batch, Table

Opening = Mapping[str, Any]
"""What is known before the first row, as plain JSON: the manifest, and the source's own words for its ending."""


class Source(Protocol):
    """A question whose answer is rows. All of its parts may raise QueryTooLargeError."""

    def opening(self) -> Opening:
        """Read what stands before and behind the rows."""

    def batches(self, mark: str | None = None) -> Iterator[Batch]:
        """The rows, all of them or those behind a batch of that mark."""

    def table(self, opening: Opening, batches: Iterator[Batch]) -> Table:
        """The batches as a table, whenever and by whomever the two were read."""

    def fraction(self, opening: Opening, mark: str) -> float:
        """About how much of the rows lies before a mark, from 0 to 1."""


def opened(source: Source) -> Table:
    """The table, with its first batch read: what can be refused is refused here, before a byte is written."""
    opening = source.opening()
    batches = source.batches()
    first = next(batches, None)
    return source.table(opening, batches if first is None else chain([first], batches))
