"""Scope and filters on columns of ids and numbers: which entries a question is about. -1 stands for NULL."""

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.catalog.columns import NULL, Ints
from analytics.catalog.dimensions import Dimension, ValueType
from analytics.query.conditions import NEGATED, callers, matching_rows, stored_number
from analytics.query.snapshot import once
from analytics.query.values import Filter, Operator
from teams.access import Reach, Scope

Flags = npt.NDArray[np.bool_]
Columns = Callable[[str], Any]
"""A column by the name of its axis; metadata keys by `metadata_axis`."""

_TEXTS: Final[dict[Operator, Callable[[str, str], bool]]] = {
    Operator.EQ: lambda text, value: text == value,
    Operator.IN: lambda text, value: text == value,
    Operator.CONTAINS: lambda text, value: value.casefold() in text.casefold(),
    Operator.STARTS: lambda text, value: text.casefold().startswith(value.casefold()),
    Operator.ENDS: lambda text, value: text.casefold().endswith(value.casefold()),
}


def wanted(scope: Scope, filters: Iterable[Filter], column: Callable[[Filter], Ints], axis: Columns) -> Flags | None:
    """Which entries lie inside the scope and match every filter; None for all of them. Unknown reach: none."""
    found = seen(scope, axis)
    for one in filters:
        flags = matches(one, scope.organization_id, column(one))
        found = flags if found is None else found & flags
    return found


def seen(scope: Scope, axis: Columns) -> Flags | None:
    """Which entries lie inside the scope; None for all of them."""
    if scope.reach is Reach.ORGANIZATION:
        return None
    if scope.reach is Reach.TEAMS:
        return among(axis("team_id"), scope.team_ids)
    ids = _caller_ids(scope) if scope.reach is Reach.CALLER and scope.caller else frozenset[int]()
    return among(axis("user_id"), ids)


@once
def _caller_ids(scope: Scope) -> frozenset[int]:
    return frozenset(callers(scope).values_list("pk", flat=True))


def among(values: Ints, ids: Iterable[int]) -> Flags:
    """Which values are one of the ids."""
    flags: Flags = np.isin(values, np.fromiter(ids, dtype=np.int64))
    return flags


def matches(one: Filter, organization_id: int, values: Ints) -> Flags:
    """Which values match. Negated operators keep entries without a value."""
    positive = NEGATED.get(one.operator)
    found = _positive(one.dimension, positive or one.operator, one.values, organization_id, values)
    return found if positive is None else ~found


def _positive(
    dimension: Dimension, operator: Operator, texts: tuple[str, ...], organization_id: int, values: Ints
) -> Flags:
    if dimension.table is not None:
        return _by_table(dimension, operator, texts, organization_id, values)
    if operator is Operator.NULL:
        return _missing(values)
    if dimension.codes:
        test = _TEXTS[operator]
        codes = [number for number, code in enumerate(dimension.codes) if any(test(code, text) for text in texts)]
        return among(values, codes)
    if dimension.value_type in (ValueType.NUMBER, ValueType.MONEY):
        return _by_number(operator, [stored_number(dimension, Decimal(text)) for text in texts], values)
    raise ValueError(f"{dimension.name} is not kept in columns")


def _missing(values: Ints) -> Flags:
    flags: Flags = values == NULL
    return flags


def _by_table(
    dimension: Dimension, operator: Operator, texts: tuple[str, ...], organization_id: int, values: Ints
) -> Flags:
    if operator is Operator.NULL and dimension.attribute == "name":
        return _missing(values)
    if operator is Operator.NULL:
        return _missing(values) | among(values, _ids(dimension, Operator.EQ, ("",), organization_id))
    return among(values, _ids(dimension, operator, texts, organization_id))


@once
def _ids(dimension: Dimension, operator: Operator, texts: tuple[str, ...], organization_id: int) -> frozenset[int]:
    return frozenset(matching_rows(dimension, operator, texts, organization_id).values_list("pk", flat=True))


def _by_number(operator: Operator, numbers: list[int | Decimal], values: Ints) -> Flags:
    """Comparisons of whole numbers with any number; a value that is not known compares with nothing."""
    known = ~_missing(values)
    if operator in (Operator.EQ, Operator.IN):
        return known & among(values, [int(one) for one in numbers if one == int(one)])
    low, high = numbers[0], numbers[-1]
    compared = {
        Operator.GT: lambda: values > math.floor(low),
        Operator.GTE: lambda: values >= math.ceil(low),
        Operator.LT: lambda: values < math.ceil(low),
        Operator.LTE: lambda: values <= math.floor(low),
        Operator.BETWEEN: lambda: (values >= math.ceil(low)) & (values <= math.floor(high)),
    }
    flags: Flags = known & compared[operator]()
    return flags
