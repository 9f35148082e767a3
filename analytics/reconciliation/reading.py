"""A provider's file as a stream: bounded in size and rows, refused with line and column, added up as it goes by."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Final

from analytics.reconciliation.formats import FORMATS, Format
from analytics.reconciliation.row import Row
from analytics.reconciliation.values import BillError, Figure

MOST_BYTES: Final = 50 * 2**20
MOST_LINES: Final = 1_000_000
MOST_FIGURES: Final = 20_000
"""Of days, models and classes: what is kept of a file."""
MOST_DAYS: Final = 366
_MOST_COLUMNS: Final = 500
_SEPARATORS: Final = (",", ";", "\t", "|")
_ENCODINGS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_CHUNK: Final = 2**20


@dataclass(slots=True)
class Bill:
    """What was read."""

    format: Format
    figures: list[Figure]
    first: date
    last: date
    lines: int
    digest: str
    ignored: list[str] = field(default_factory=list)
    rounded: int = 0
    decimals: int = 0


def read(file: BinaryIO, wanted: Format | None = None) -> Bill:
    """Read a file. Without a format it is recognised by its columns. Raises BillError."""
    digest = _digest(file)
    try:
        return _read(file, wanted, digest)
    except UnicodeError as error:
        raise BillError("The file is not UTF-8 text. Save it as “CSV UTF-8” and upload it again.") from error
    except csv.Error as error:
        raise BillError(f"The file is not CSV: {error}.") from error


def _digest(file: BinaryIO) -> str:
    found, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise BillError(f"The file is larger than {MOST_BYTES // 2**20} MB. Export fewer days, or split it.")
        found.update(chunk)
    if not size:
        raise BillError("The file is empty.")
    file.seek(0)
    return found.hexdigest()


def _read(file: BinaryIO, wanted: Format | None, digest: str) -> Bill:
    head = file.read(4)
    file.seek(0)
    encoding = next((name for mark, name in _ENCODINGS if head.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        return _table(text, wanted, digest)
    finally:
        text.detach()


def _table(text: io.TextIOWrapper, wanted: Format | None, digest: str) -> Bill:
    rows = _rows(text)
    _, names = next(rows, (0, []))
    names = [name.strip() for name in names]
    if not any(names):
        raise BillError("The file has no header: its first line has to name the columns.")
    found = wanted or recognised(names)
    _check(names, found)
    row, sums, days = Row(), _Sums(), set[date]()
    lines = 0
    for line, cells in rows:
        row.at(line, dict(zip(names, cells, strict=False)))
        lines += 1
        days.add(row.day(found.day))
        sums.add(found.figures(row))
    if not sums.found:
        raise BillError("The file has a header, but no use and no costs below it.")
    if (max(days) - min(days)).days >= MOST_DAYS:
        raise BillError(f"The file covers more than {MOST_DAYS} days. Export fewer, or split it.")
    known = {*found.required, *found.optional}
    ignored = sorted({name for name in names if name and name not in known})
    return Bill(found, sums.rows(), min(days), max(days), lines, digest, ignored, row.rounded, row.decimals)


def _rows(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the number of its line."""
    header = text.readline(2**16)
    separator = max(_SEPARATORS, key=header.count)
    reader = csv.reader(_lines(header, text), delimiter=separator, strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BillError(f"Line {line} is not CSV: {error}.") from error
        if not any(cells):
            continue
        width = width or len(cells)
        if len(cells) > width:
            raise BillError(f"Line {line} has {len(cells)} cells, but the header has {width}.")
        if len(cells) < width:
            raise BillError(f"Line {line} has {len(cells)} cells, but the header has {width}. Is the file cut off?")
        yield line, cells


def _lines(header: str, text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    line = header
    while line:
        number += 1
        if number > MOST_LINES:
            raise BillError(f"The file has more than {MOST_LINES:,} lines. Export fewer days, or split it.")
        if "\0" in line:
            raise BillError(f"Line {number} has a zero byte: this is no text file.")
        yield line
        line = text.readline(2**16)


def recognised(names: Sequence[str]) -> Format:
    """The format whose columns are there. Raises BillError with what the nearest one misses."""
    there = {*names}
    fits = [one for one in FORMATS if there.issuperset(one.required)]
    if fits:
        return max(fits, key=lambda one: len(one.required))
    nearest = max(FORMATS, key=lambda one: len(there.intersection(one.required)) / len(one.required))
    missing = [name for name in nearest.required if name not in there]
    if len(missing) == len(nearest.required):
        raise BillError(f"No format has these columns: {_listed(names)}. Choose what they mean below.")
    raise BillError(f"The nearest format is “{nearest.label}”, but the file has no column {_listed(missing)}.")


def _check(names: Sequence[str], found: Format) -> None:
    if len(names) > _MOST_COLUMNS:
        raise BillError(f"The file has more than {_MOST_COLUMNS} columns.")
    missing = [name for name in found.required if name not in names]
    if missing:
        raise BillError(f"The file has no column {_listed(missing)}. Its columns are: {_listed(names)}.")
    wanted = {*found.required, *found.optional}
    double = [name for name, count in Counter(names).items() if count > 1 and name in wanted]
    if double:
        raise BillError(f"The file has two columns {_listed(double)}.")


def _listed(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 60 else name[:59] + "…" for name in names if name][:30]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")


class _Sums:
    """Figures added up by day, model, class and tier."""

    def __init__(self) -> None:
        self.found: dict[tuple[date, str, str, str], list[int | None]] = {}

    def add(self, figures: Iterator[Figure]) -> None:
        """What one row says."""
        for one in figures:
            sums = self.found.setdefault(one[:4], [None, None, None])
            for place, number in enumerate((one.quantity, one.requests, one.cost)):
                if number is not None:
                    sums[place] = (sums[place] or 0) + number
        if len(self.found) > MOST_FIGURES:
            raise BillError(
                f"The file has more than {MOST_FIGURES:,} combinations of day, model and class. Export fewer days."
            )

    def rows(self) -> list[Figure]:
        """In order."""
        return [Figure(*key, *sums) for key, sums in sorted(self.found.items())]
