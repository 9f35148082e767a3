"""Columns of integers as one byte string: every column as narrow as its range allows, next to each other.

A column is stored as its distance from its least value, in 0 (all the same), 1, 2, 4 or 8 bytes. Sums beyond 64 bits
(money) are two columns, whole billions and the rest.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import Ints

_BILLION: Final = 10**9
_BILLIONS: Final = ":billions"
_LENGTH: Final = 4  # bytes that hold the length of the layout
_WIDTHS: Final = ((1, "<u1"), (2, "<u2"), (4, "<u4"), (8, "<u8"))
_TYPES: Final = dict(_WIDTHS)
Numbers = npt.NDArray[Any]
"""int64, or Python integers (object) where 64 bits do not suffice."""


class _Layout(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Rows, and for each column its name, bytes per value and least value."""

    size: int
    columns: list[tuple[str, int, int]]


_LAYOUT: Final = msgspec.msgpack.Decoder(_Layout)


def pack(columns: Mapping[str, Numbers], size: int) -> bytes:
    """The columns, all of `size` values. A column of zeros is left out."""
    layout: list[tuple[str, int, int]] = []
    parts: list[bytes] = []
    narrow = _in_64_bits(columns)
    # All columns at once: most hours have few cells, and then it is the number of calls that takes the time.
    table = np.stack([values for _, values in narrow]) if narrow and size else np.zeros((len(narrow), 1), np.int64)
    borders = zip(table.min(axis=1).tolist(), table.max(axis=1).tolist(), strict=True) if narrow else ()
    for (name, _), (least, most), values in zip(narrow, borders, table, strict=True):
        if least == most:
            if least:
                layout.append((name, 0, least))
            continue
        width, kind = next((width, kind) for width, kind in _WIDTHS if most - least < 1 << 8 * width)
        layout.append((name, width, least))
        parts.append((values - least).astype(kind).tobytes())
    head = msgspec.msgpack.encode(_Layout(size, layout))
    return b"".join((len(head).to_bytes(_LENGTH, "little"), head, *parts))


def _in_64_bits(columns: Mapping[str, Numbers]) -> list[tuple[str, Numbers]]:
    answer: list[tuple[str, Numbers]] = []
    for name, values in columns.items():
        if values.dtype == object:
            answer.append((name + _BILLIONS, (values // _BILLION).astype(np.int64)))
            answer.append((name, (values % _BILLION).astype(np.int64)))
        else:
            answer.append((name, values))
    return answer


class Packed:
    """A packed byte string, read column by column."""

    __slots__ = ("_places", "_text", "size")

    def __init__(self, text: bytes) -> None:
        end = _LENGTH + int.from_bytes(text[:_LENGTH], "little")
        layout = _LAYOUT.decode(text[_LENGTH:end])
        self.size, self._text = layout.size, text
        self._places: dict[str, tuple[int, int, int]] = {}
        for name, width, least in layout.columns:
            self._places[name] = (width, least, end)
            end += width * layout.size

    def wide(self, name: str) -> bool:
        """Whether the column holds more than 64 bits."""
        return name + _BILLIONS in self._places

    def constant(self, name: str) -> int:
        """The value of a column that is the same everywhere; 0 for one that is not there."""
        return self._places.get(name, (0, 0, 0))[1]

    def read_into(self, target: Ints, name: str) -> None:
        """Write the column into an array of `size` values; zeros for a column that is not there."""
        width, least, start = self._places.get(name, (0, 0, 0))
        if width:
            target[:] = np.frombuffer(self._text, _TYPES[width], self.size, start)
            if least:
                target += least
        else:
            target.fill(least)


def column(many: Sequence[Packed], name: str) -> Numbers:
    """One column of all of them, one after the other."""
    if any(one.wide(name) for one in many):
        return _column(many, name + _BILLIONS).astype(object) * _BILLION + _column(many, name)
    return _column(many, name)


def _column(many: Sequence[Packed], name: str) -> Ints:
    answer = np.empty(sum(one.size for one in many), dtype=np.int64)
    start = 0
    for one in many:
        one.read_into(answer[start : start + one.size], name)
        start += one.size
    return answer
