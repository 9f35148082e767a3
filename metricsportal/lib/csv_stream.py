"""CSV as a stream of lines: RFC 4180, CRLF, and no text that a spreadsheet would run as a formula."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

CONTENT_TYPE: Final = "text/csv; charset=utf-8"
Cell = str | int | float | Decimal | bool | None
"""Text is guarded; numbers are written as they are; None is an empty cell."""

_TRIGGERS: Final = frozenset("=+-@")
_CONTROLS: Final = ("\t", "\r", "\n")
_SEPARATORS: Final = frozenset(";,|")
_QUOTED: Final = frozenset('",;|\r\n\t')
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@#(){}\[\]=+*-]*")
"""Most names: nothing to guard, nothing to quote."""


def lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The header and every row, each a line with its CRLF. Nothing is kept."""
    yield line(header)
    for row in rows:
        yield line(row)


def line(cells: Sequence[Cell]) -> str:
    """One line. A line of one empty cell is written as `""`, because a blank line is not a row."""
    written = ",".join(cell(one) for one in cells)
    return (written or '""') + "\r\n"


def guarded(text: str) -> str:
    """The text, behind a `'` when a spreadsheet would take it for a formula: `=1+1`, ` -2`, `;@SUM(A1)`."""
    if text.startswith(_CONTROLS):
        return "'" + text
    first = next((character for character in text if not _skipped(character)), "")
    # NFKC folds full-width and small forms to the characters that spreadsheets read them as.
    return "'" + text if unicodedata.normalize("NFKC", first)[:1] in _TRIGGERS else text


def _skipped(character: str) -> bool:
    """What a spreadsheet may drop before it looks for a formula: white space, invisible characters, separators."""
    return character.isspace() or character in _SEPARATORS or unicodedata.category(character) in ("Cc", "Cf")


def cell(value: Cell) -> str:
    """One cell as it is written."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() | Decimal():
            return _number(value)
        case str():
            return _text(value)


def unguarded(text: str | None) -> str:
    """A cell of text as it is, for programs: quoted where needed. An empty text is quoted, no value is nothing."""
    if text is None:
        return ""
    if not text or _QUOTED.intersection(text) or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def _number(value: float | Decimal) -> str:
    """Fixed notation: no exponent, no thousands separator."""
    text = format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    safe = guarded(text)
    if safe is not text or _QUOTED.intersection(safe) or safe != safe.strip():
        return '"' + safe.replace('"', '""') + '"'
    return safe
