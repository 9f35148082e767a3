"""Columns of integers as one byte string: every column as narrow as its range allows, next to each other.

A column is stored as its distance from its least value, in 0 (all the same), 1, 2, 4 or 8 bytes; amounts of money,
which would take 8, in multiples of what divides all of them. Columns of the same distances (list and charged cost
without a discount) share their bytes. Sums beyond 64 bits (money) are two columns, whole billions and the rest.
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
_TYPES: Final = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
_WIDEST: Final = max(_TYPES)
Numbers = npt.NDArray[Any]
"""int64, or Python integers (object) where 64 bits do not suffice."""


class _Layout(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Rows, and for each column its name, bytes per value, least value, unit and first byte behind the layout."""

    size: int
    columns: list[tuple[str, int, int, int, int]]


_Place = tuple[int, int, int, int]
"""Of a column: bytes per value (0: all the same), least value, unit, and first byte."""
_NOTHING: Final[_Place] = (0, 0, 1, 0)
_LAYOUT: Final = msgspec.msgpack.Decoder(_Layout)


def pack(columns: Mapping[str, Numbers], size: int) -> bytes:
    """The columns, all of `size` values. A column of zeros is left out."""
    layout: list[tuple[str, int, int, int, int]] = []
    parts: dict[bytes, int] = {}
    narrow = _in_64_bits(columns)
    # All columns at once: most hours have few cells, and then it is the number of calls that takes the time.
    table = np.stack([values for _, values in narrow]) if narrow and size else np.zeros((len(narrow), 1), np.int64)
    borders = zip(table.min(axis=1).tolist(), table.max(axis=1).tolist(), strict=True) if narrow else ()
    end = 0
    for (name, _), (least, most), values in zip(narrow, borders, table, strict=True):
        if least == most:
            if least:
                layout.append((name, 0, least, 1, 0))
            continue
        distances, unit, width = _narrowed(values - least, most - least)
        text = distances.astype(_TYPES[width]).tobytes()
        start = parts.setdefault(text, end)
        end += len(text) if start == end else 0
        layout.append((name, width, least, unit, start))
    head = msgspec.msgpack.encode(_Layout(size, layout))
    return b"".join((len(head).to_bytes(_LENGTH, "little"), head, *parts))


def _narrowed(distances: Ints, most: int) -> tuple[Ints, int, int]:
    """Distances in their unit, the unit, and bytes per value."""
    width = _width(most)
    if width == _WIDEST and 0 <= most < 1 << 63:  # more than that has wrapped around, and divides wrongly
        unit = int(np.gcd.reduce(distances))
        if _width(most // unit) < width:
            return distances // unit, unit, _width(most // unit)
    return distances, 1, width


def _width(most: int) -> int:
    return next(width for width in _TYPES if most < 1 << 8 * width)


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

    __slots__ = ("_places", "size", "text")

    def __init__(self, text: bytes) -> None:
        end = _LENGTH + int.from_bytes(text[:_LENGTH], "little")
        layout = _LAYOUT.decode(text[_LENGTH:end])
        self.size, self.text = layout.size, text
        self._places = {name: (width, least, unit, end + start) for name, width, least, unit, start in layout.columns}

    def some(self, first: int, last: int) -> "Packed":
        """The values from `first` up to, not including, `last` of every column."""
        part = Packed.__new__(Packed)
        part.size, part.text = last - first, self.text
        part._places = {
            name: (width, least, unit, start + first * width)
            for name, (width, least, unit, start) in self._places.items()
        }
        return part

    def wide(self, name: str) -> bool:
        """Whether the column holds more than 64 bits."""
        return name + _BILLIONS in self._places

    def constant(self, name: str) -> int:
        """The value of a column that is the same everywhere; 0 for one that is not there."""
        return self._places.get(name, _NOTHING)[1]

    def place(self, name: str) -> _Place:
        """Where a column is and how it is stored; a column that is not there is one of zeros."""
        return self._places.get(name, _NOTHING)


def column(many: Sequence[Packed], name: str) -> Numbers:
    """One column of all of them, one after the other."""
    if any(one.wide(name) for one in many):
        return _column(many, name + _BILLIONS).astype(object) * _BILLION + _column(many, name)
    return _column(many, name)


def _column(many: Sequence[Packed], name: str) -> Ints:
    sizes = np.array([one.size for one in many], dtype=np.int64)
    places = [one.place(name) for one in many]
    answer: Ints = np.repeat(np.array([least for _, least, _, _ in places], dtype=np.int64), sizes)
    if any(width for width, _, _, _ in places):
        distances = _distances(many, places)
        units = [unit for _, _, unit, _ in places]
        answer += distances * np.repeat(units, sizes) if max(units) > 1 else distances
    return answer


def _distances(many: Sequence[Packed], places: Sequence[_Place]) -> Ints:
    widths, pairs = {width for width, _, _, _ in places}, list(zip(many, places, strict=True))
    if len(widths) == 1:  # as one text: for many short ones the number of calls is what takes the time
        texts = [one.text[start : start + width * one.size] for one, (width, _, _, start) in pairs]
        return np.frombuffer(b"".join(texts), _TYPES[widths.pop()]).astype(np.int64)
    parts = [
        np.frombuffer(one.text, _TYPES[width], one.size, start) if width else np.zeros(one.size, dtype=np.uint8)
        for one, (width, _, _, start) in pairs
    ]
    return np.concatenate(parts, dtype=np.int64, casting="unsafe")
