"""Reading what a caller sent, part by part, so that everything wrong is told at once."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from django.http import QueryDict

from analytics.query.values import InvalidQueryError, Problem

T = TypeVar("T")
Loc = tuple[str | int, ...]
MAX_BODY_BYTES: Final = 256 * 1024
_SHOWN: Final = 80


class Checks:
    """Collects the problems of one question. `finish` raises them together."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, loc: Loc, code: str, message: str, allowed: Iterable[str] = ()) -> None:
        """Note one problem."""
        self.problems.append(Problem(loc, code, message, tuple(allowed)))

    def attempt(self, parse: Callable[[], T]) -> T | None:
        """The parsed part, or None with its problems noted."""
        try:
            return parse()
        except InvalidQueryError as error:
            self.problems.extend(error.problems)
            return None

    def known(self, given: Iterable[str], allowed: Iterable[str], loc: Loc = (), code: str = "unknown_field") -> None:
        """Note every name that nobody reads: a typing error in a filter must not widen an answer."""
        names = tuple(allowed)
        for name in given:
            if name not in names:
                self.add((*loc, name[:_SHOWN]), code, f"There is no field {name[:_SHOWN]!r}.", names)

    def choice(self, value: object, allowed: Iterable[str], loc: Loc, code: str = "unknown_value") -> str | None:
        """The value when it is one of the allowed texts, else None with the problem noted."""
        names = tuple(allowed)
        if isinstance(value, str) and value in names:
            return value
        self.add(loc, code, f"{_named(loc)} cannot be {_shown(value)}.", names)
        return None

    def whole(self, value: object, loc: Loc, low: int, high: int) -> int | None:
        """A whole number inside the limits (a text of digits counts), else None with the problem noted."""
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.add(loc, "out_of_range", f"{_named(loc)} is a whole number from {low} to {high}.")
        return None

    def finish(self) -> None:
        """Raise InvalidQueryError when anything is wrong."""
        if self.problems:
            raise InvalidQueryError(self.problems)


def _named(loc: Loc) -> str:
    """The innermost name of a place: aggregations 0 column -> column."""
    return next((str(part) for part in reversed(loc) if isinstance(part, str)), "The value")


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]


def refuse(loc: Loc, code: str, message: str, allowed: Iterable[str] = ()) -> InvalidQueryError:
    """One problem as an error to raise."""
    return InvalidQueryError([Problem(loc, code, message, tuple(allowed))])


def decode(raw: bytes) -> object:
    """JSON of a caller. Numbers with a point come as Decimal: no float touches money. Raises InvalidQueryError."""
    try:
        value: object = msgspec.json.Decoder(float_hook=Decimal).decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise refuse((), "malformed_json", f"The body is not JSON: {error}"[:200]) from None
    if _has_nul(value):
        raise refuse((), "invalid_text", "Texts cannot hold NUL characters.")
    return value


def _has_nul(value: object) -> bool:
    waiting = [value]  # not recursive: the depth is the caller's choice
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and "\0" in one:
            return True
        if isinstance(one, Mapping):
            waiting.extend((*one.keys(), *one.values()))
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def parameters(given: QueryDict, allowed: Iterable[str], repeatable: Iterable[str] = ()) -> dict[str, str]:
    """The single parameters of a query string. Raises InvalidQueryError for unknown, repeated and unreadable ones."""
    checks, many = Checks(), {*repeatable}
    checks.known(given, (*allowed, *repeatable, "organization"), code="unknown_parameter")
    for name, values in given.lists():
        if len(values) > 1 and name not in many:
            checks.add((name[:_SHOWN],), "repeated", f"{name[:_SHOWN]} can be given once.")
        if any("\0" in value for value in (name, *values)):
            checks.add((name[:_SHOWN],), "invalid_text", "Texts cannot hold NUL characters.")
    checks.finish()
    return {name: str(given[name]) for name in given if name not in many}
