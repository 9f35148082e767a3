"""One row of another product's export, whether it came as JSON or as CSV: loose values into typed ones.

What cannot be read is refused by the name of its column; messages never quote a value, which may be a prompt in the
wrong column.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

import msgspec

from ingestion.formats import json_body
from ingestion.formats.values import text_of
from ingestion.records import Code, RejectedError
from ingestion.validation import MOST_TOKENS, NOT_IDS

_WHOLE: Final = re.compile(r"[+-]?\d{1,15}(?:\.0{1,6})?", re.ASCII)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,12})?) ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_TRUTHS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_OBJECT: Final = b"{["


class Row:
    """The columns of a row by their names. `known`: those that the format reads; asking for others is our mistake.

    `absent`: texts that stand for no value. Methods take several names of one fact, the first with a value wins.
    """

    __slots__ = ("_absent", "_known", "_values")

    def __init__(self, values: Mapping[str, Any], known: frozenset[str], absent: frozenset[str]) -> None:
        self._values, self._known, self._absent = values, known, absent

    def has(self, name: str) -> bool:
        """Whether the row has the column at all, perhaps without a value."""
        return name in self._values

    def text(self, *names: str) -> str | None:
        """A scalar as text."""
        found = self._find(names)
        return None if found is None else text_of(found[1])

    def whole(self, *names: str) -> int | None:
        """A count: 12, "12", 12.0. Raises RejectedError."""
        found = self._find(names)
        if found is None:
            return None
        name, text = found[0], text_of(found[1]) or ""
        if not _WHOLE.fullmatch(text):
            raise RejectedError(Code.INVALID, name, f"{name} must be a whole number from 0 to {MOST_TOKENS}.")
        count = int(text.partition(".")[0])
        if count < 0:
            raise RejectedError(Code.NEGATIVE, name, f"{name} must not be negative.")
        return count

    def decimal(self, *names: str) -> Decimal | None:
        """An amount, exact: floats by their shortest text. Raises RejectedError."""
        found = self._find(names)
        if found is None:
            return None
        name, value = found
        try:
            amount = Decimal(repr(value) if isinstance(value, float) else text_of(value) or "")
        except InvalidOperation:
            amount = Decimal("nan")
        # An exponent of a million digits would break the arithmetic, not only the limits.
        if isinstance(value, bool) or not amount.is_finite() or amount.adjusted() > 30:
            raise RejectedError(Code.INVALID, name, f"{name} must be a finite number.")
        return amount

    def number(self, *names: str) -> float | None:
        """A duration. Raises RejectedError."""
        amount = self.decimal(*names)
        return None if amount is None else float(amount)

    def truth(self, *names: str) -> bool | None:
        """A flag: true, "TRUE", 1. Raises RejectedError."""
        found = self._find(names)
        if found is None:
            return None
        flag = _TRUTHS.get((text_of(found[1]) or "").lower())
        if flag is None:
            raise RejectedError(Code.INVALID, found[0], f"{found[0]} must be true or false.")
        return flag

    def instant(self, *names: str) -> datetime | None:
        """A time, UTC where it has no zone; digits below the microsecond are cut. Raises RejectedError."""
        found = self._find(names)
        if found is None:
            return None
        parts = _TIME.fullmatch(found[1]) if isinstance(found[1], str) else None
        try:
            if parts:
                zone = "+00:00" if parts[3] in (None, "Z", "z", "UTC") else parts[3]
                return datetime.fromisoformat(f"{parts[1]}T{parts[2]}{zone}").astimezone(UTC)
        except (ValueError, OverflowError):  # the 31st of February, or a day before the first year
            pass
        message = f"{found[0]} must be a time such as 2026-11-24T09:30:00.125Z or 2026-11-24 09:30:00 (UTC)."
        raise RejectedError(Code.INVALID, found[0], message)

    def mapping(self, *names: str) -> Mapping[str, Any]:
        """An object, also as JSON inside text; empty where there is none. Raises RejectedError for anything else."""
        found = self._find(names)
        value = None if found is None else _parsed(found[1])
        if found is None or value is None:
            return {}
        if not isinstance(value, Mapping):
            raise RejectedError(Code.INVALID, found[0], f"{found[0]} must be a JSON object.")
        return value

    def loose(self, *names: str) -> Any:  # noqa: ANN401 - what people attach to requests: any JSON
        """Any JSON, also inside text; None where there is none."""
        found = self._find(names)
        return None if found is None else _parsed(found[1])

    def part(self, name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what `read` makes of it
        """What `read` finds in a column of which nothing else may be decoded; None without one."""
        self._declared(name)
        return read(self._values[name]) if name in self._values else None

    def identity(self, *names: str) -> str:
        """The id of the row, else a hash of the row: the same whenever the same row is read again."""
        given = self.text(*names)
        if given is not None and given.strip().lower() not in NOT_IDS:
            return given
        content = {name: json_body.decoded(value) for name, value in self._values.items()}
        return f"row-{blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()}"

    def look_up(self, path: str, dropped: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
        """The attribute of a rule: a column of that name, else keys inside a column joined by dots; None = absent."""
        for name in (path, path.partition(".")[0]):
            if name in self._values and name not in dropped:
                value = json_body.decoded(self._values[name])
                value = value if name == path else json_body.within(_parsed(value), path[len(name) + 1 :])
                return None if value in self._absent_values() else value
        return None

    def unknown(self, dropped: frozenset[str]) -> dict[str, Any]:
        """Values of columns that the format neither reads nor drops."""
        others = self._values.keys() - self._known - dropped
        values = {name: json_body.decoded(self._values[name]) for name in others}
        return {name: value for name, value in values.items() if value not in self._absent_values()}

    def _find(self, names: tuple[str, ...]) -> tuple[str, Any] | None:
        for name in names:
            self._declared(name)
            value = json_body.decoded(self._values.get(name))
            if value is not None and not (isinstance(value, str) and value in self._absent):
                return name, value
        return None

    def _declared(self, name: str) -> None:
        if name not in self._known:
            raise KeyError(name)

    def _absent_values(self) -> list[str | None]:
        return [None, *self._absent]


def _parsed(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return value
