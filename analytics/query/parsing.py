"""Names and texts of the outside world to the parts of a `Query`; every error names what is allowed."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from analytics.catalog import dimensions
from analytics.catalog.dimensions import Dimension, ValueType
from analytics.query import keys
from analytics.query.values import Filter, InvalidQueryError, Label, LabelKind, Operator, Problem
from metricsportal.lib.localtime import midnight, zone
from teams.access import Scope

_ANYWHERE: Final = (Operator.EQ, Operator.NE, Operator.IN, Operator.NIN, Operator.NULL, Operator.NNULL)
_WHOLE: Final = (Operator.EQ, Operator.NE, Operator.IN, Operator.NIN)
_TEXTS: Final = (
    Operator.CONTAINS,
    Operator.NCONTAINS,
    Operator.STARTS,
    Operator.NSTARTS,
    Operator.ENDS,
    Operator.NENDS,
)
_NUMBERS: Final = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.BETWEEN)
OPERATORS: Final[dict[ValueType, tuple[Operator, ...]]] = {
    ValueType.TEXT: (*_ANYWHERE, *_TEXTS),
    ValueType.NUMBER: (*_ANYWHERE, *_NUMBERS),
    ValueType.MONEY: (*_ANYWHERE, *_NUMBERS),
    ValueType.BOOLEAN: (Operator.EQ, Operator.NE, Operator.NULL, Operator.NNULL),
}
LONG_OPERATORS: Final = {
    "EQUAL": Operator.EQ,
    "NOT_EQUAL": Operator.NE,
    "IN": Operator.IN,
    "NOT_IN": Operator.NIN,
    "IS_NULL": Operator.NULL,
    "IS_NOT_NULL": Operator.NNULL,
    "STRING_CONTAINS": Operator.CONTAINS,
    "STRING_NOT_CONTAINS": Operator.NCONTAINS,
    "STRING_STARTS_WITH": Operator.STARTS,
    "STRING_NOT_STARTS_WITH": Operator.NSTARTS,
    "STRING_ENDS_WITH": Operator.ENDS,
    "STRING_NOT_ENDS_WITH": Operator.NENDS,
    "GREATER_THAN": Operator.GT,
    "GREATER_THAN_EQUAL": Operator.GTE,
    "LESS_THAN": Operator.LT,
    "LESS_THAN_EQUAL": Operator.LTE,
    "BETWEEN": Operator.BETWEEN,
}
OPERATOR_WORDS: Final = {
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.IN: "is any of",
    Operator.NIN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.NCONTAINS: "does not contain",
    Operator.STARTS: "starts with",
    Operator.NSTARTS: "does not start with",
    Operator.ENDS: "ends with",
    Operator.NENDS: "does not end with",
    Operator.NULL: "is empty",
    Operator.NNULL: "is not empty",
    Operator.GT: "above",
    Operator.GTE: "at least",
    Operator.LT: "below",
    Operator.LTE: "at most",
    Operator.BETWEEN: "between",
}
MAX_VALUES: Final = 200
MAX_VALUE_LENGTH: Final = 256
_RELATIVE: Final = re.compile(r"now(?:-(\d{1,5})([mhdw]))?")
_STEPS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_EARLIEST, _LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _refuse(loc: tuple[str | int, ...], code: str, message: str, allowed: tuple[str, ...] = ()) -> InvalidQueryError:
    return InvalidQueryError([Problem(loc, code, message, allowed)])


def find_dimension(name: str, scope: Scope, loc: tuple[str | int, ...], *, api: bool = False) -> Dimension:
    """The dimension of that name; raises InvalidQueryError naming the allowed ones."""
    found = keys.find(name, scope, api=api)
    if found is None:
        known = tuple(one.api_name if api else one.name for one in dimensions.DIMENSIONS)
        own = tuple(dimensions.METADATA_PREFIX + key.name for key in keys.visible_keys(scope))
        raise _refuse(loc, "unknown_dimension", f"There is no dimension {name[:80]!r}.", (*known, *own))
    return found


def groupable_dimension(name: str, scope: Scope, loc: tuple[str | int, ...], *, api: bool = False) -> Dimension:
    """The dimension of that name if one can group by it; raises InvalidQueryError."""
    found = find_dimension(name, scope, loc, api=api)
    if not found.groupable:
        allowed = tuple(one.api_name if api else one.name for one in dimensions.DIMENSIONS if one.groupable)
        raise _refuse(loc, "not_groupable", f"{name!r} can be filtered by, not grouped by.", allowed)
    return found


def _check_value(value: str, dimension: Dimension, loc: tuple[str | int, ...]) -> None:
    if len(value) > MAX_VALUE_LENGTH or "\x00" in value:
        raise _refuse(loc, "invalid_value", f"A value has at most {MAX_VALUE_LENGTH} characters and no NUL.")
    if dimension.value_type is ValueType.BOOLEAN and value not in dimension.codes:
        raise _refuse(loc, "invalid_value", f"{dimension.label} is true or false.", dimension.codes)
    if dimension.value_type in (ValueType.NUMBER, ValueType.MONEY):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > 10**15:
            raise _refuse(loc, "invalid_value", f"{dimension.label} takes a number, not {value[:40]!r}.")


def _check_codes(values: tuple[str, ...], dimension: Dimension, loc: tuple[str | int, ...]) -> None:
    """A value of a closed list is spelt as it is there: what occurs nowhere would silently find nothing."""
    for value in values:
        if value not in dimension.codes:
            message = f"{dimension.label} is never {value[:40]!r}."
            raise _refuse(loc, "invalid_value", message, dimension.codes)


def make_filter(
    dimension: Dimension, operator: Operator, values: tuple[str, ...], loc: tuple[str | int, ...] = ("filters",)
) -> Filter:
    """A checked filter; raises InvalidQueryError for an operator or value that the dimension does not take."""
    allowed = OPERATORS[dimension.value_type]
    if operator not in allowed:
        message = f"{dimension.label} cannot be compared with {operator.value!r}."
        raise _refuse(loc, "operator_not_allowed", message, tuple(allowed))
    if operator in (Operator.NULL, Operator.NNULL):
        return Filter(dimension, operator)
    if dimension.codes and operator in _WHOLE:
        _check_codes(values, dimension, loc)
    expected = {Operator.BETWEEN: 2, Operator.IN: None, Operator.NIN: None}.get(operator, 1)
    if (expected and len(values) != expected) or not 1 <= len(values) <= MAX_VALUES:
        count = expected or f"1 to {MAX_VALUES}"
        raise _refuse(loc, "invalid_value", f"{operator.value!r} takes {count} value(s), {len(values)} were given.")
    for value in values:
        _check_value(value, dimension, loc)
    return Filter(dimension, operator, values)


def split_values(text: str) -> tuple[str, ...]:
    r"""Comma-separated values; a comma inside a value is written `\\,` and a backslash `\\\\`."""
    values, current, escaped = [], "", False
    for character in text:
        if escaped:
            current, escaped = current + character, False
        elif character == "\\":
            escaped = True
        elif character == ",":
            values.append(current)
            current = ""
        else:
            current += character
    return (*values, current + ("\\" if escaped else ""))


def join_values(values: tuple[str, ...]) -> str:
    """The inverse of `split_values`."""
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)


def parse_filter(text: str, scope: Scope, loc: tuple[str | int, ...] = ("filter",)) -> Filter:
    """`field:op:value[,value]` to a filter; raises InvalidQueryError."""
    name, _, rest = text.partition(":")
    short, _, raw = rest.partition(":")
    if name == "metadata" or (name.startswith("metadata.") and short not in list(Operator)):
        name, short, raw = _split_metadata(text)
    dimension = find_dimension(name, scope, loc)
    if short not in list(Operator):
        message = f"There is no operator {short[:40]!r}."
        raise _refuse(loc, "unknown_operator", message, tuple(OPERATORS[dimension.value_type]))
    operator = Operator(short)
    single = operator not in (Operator.IN, Operator.NIN, Operator.BETWEEN)
    values = (split_values(raw)[0],) if single and "," not in raw.replace("\\,", "") else split_values(raw)
    return make_filter(dimension, operator, values, loc)


def _split_metadata(text: str) -> tuple[str, str, str]:
    """A metadata key may hold colons: the operator is the first part that is one."""
    parts = text.split(":")
    for position in range(1, len(parts)):
        if parts[position] in list(Operator):
            return ":".join(parts[:position]), parts[position], ":".join(parts[position + 1 :])
    return text, "", ""


def filter_text(condition: Filter) -> str:
    """The inverse of `parse_filter`."""
    return f"{condition.dimension.name}:{condition.operator.value}:{join_values(condition.values)}"


def filter_of(name: str, label: Label) -> str | None:
    """The filter that leaves one group, as in the URL; None for the rest."""
    if label.kind is LabelKind.OTHER:
        return None
    return f"{name}:null:" if label.kind is LabelKind.NONE else f"{name}:eq:{join_values((label.text,))}"


def is_relative(text: str) -> bool:
    """Whether an instant is told as of now."""
    return _RELATIVE.fullmatch(text) is not None


def parse_instant(text: str, now: datetime, loc: tuple[str | int, ...]) -> datetime:
    """`now`, `now-7d` or an ISO 8601 instant with an offset; raises InvalidQueryError."""
    relative = _RELATIVE.fullmatch(text)
    if relative:
        amount, step = relative.groups()
        return _checked(now - int(amount) * _STEPS[step] if amount else now, loc)
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        allowed = ("now", "now-24h", "now-30d", "2026-11-01T00:00:00Z")
        raise _refuse(loc, "invalid_instant", f"{text[:60]!r} is not an instant.", allowed) from None
    if instant.tzinfo is None:
        raise _refuse(loc, "no_offset", f"{text[:60]!r} needs an offset, for example Z or +01:00.")
    return _checked(instant, loc)


def _checked(instant: datetime, loc: tuple[str | int, ...]) -> datetime:
    if not _EARLIEST <= instant <= _LATEST:
        raise _refuse(loc, "invalid_instant", "Instants lie between 1971 and 2200.")
    return instant.astimezone(UTC)


def parse_day(text: str, zone_name: str, loc: tuple[str | int, ...], *, days_later: int = 0) -> datetime:
    """The first instant of a local date (plus days); raises InvalidQueryError."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise _refuse(loc, "invalid_day", f"{text[:40]!r} is not a day such as 2026-11-01.") from None
    if not 1971 <= day.year <= 2199:
        raise _refuse(loc, "invalid_day", "Days lie between 1971 and 2199.")
    return midnight(day + timedelta(days=days_later), zone(zone_name))
