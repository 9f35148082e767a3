"""Scope and filters as conditions on facts and aggregates. Names resolve in the small dimension tables, to ids."""

from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from analytics.catalog.dimensions import Dimension, ValueType
from analytics.query.values import Filter, Operator
from ingestion.models import GatewayUser, MetadataValue
from metricsportal.lib.money import to_picodollars
from teams.access import Reach, Scope

NEGATED: Final = {
    Operator.NE: Operator.EQ,
    Operator.NIN: Operator.IN,
    Operator.NCONTAINS: Operator.CONTAINS,
    Operator.NSTARTS: Operator.STARTS,
    Operator.NENDS: Operator.ENDS,
    Operator.NNULL: Operator.NULL,
}
_TEXT_LOOKUPS: Final = {
    Operator.EQ: "in",
    Operator.IN: "in",
    Operator.CONTAINS: "icontains",
    Operator.STARTS: "istartswith",
    Operator.ENDS: "iendswith",
}
_NUMBER_LOOKUPS: Final = {
    Operator.EQ: "in",
    Operator.IN: "in",
    Operator.GT: "gt",
    Operator.GTE: "gte",
    Operator.LT: "lt",
    Operator.LTE: "lte",
    Operator.BETWEEN: "range",
}
NOTHING: Final = Q(pk__in=())
"""No row."""


def scope_condition(scope: Scope) -> Q:
    """What the scope may see, for any table with organization, team_id and user_id. An unknown reach sees nothing."""
    inside = Q(organization_id=scope.organization_id)
    if scope.reach is Reach.ORGANIZATION:
        return inside
    if scope.reach is Reach.TEAMS:
        return inside & Q(team_id__in=sorted(scope.team_ids))
    if scope.reach is Reach.CALLER and scope.caller:
        return inside & Q(user_id__in=callers(scope).values("pk"))
    return inside & NOTHING


def callers(scope: Scope) -> QuerySet[GatewayUser]:
    """The gateway users that are the person of a scope: same e-mail, as label or as id."""
    people = GatewayUser.objects.filter(organization_id=scope.organization_id)
    return people.annotate(who=Lower("name"), mail=Lower("email")).filter(Q(who=scope.caller) | Q(mail=scope.caller))


def scope_axes(scope: Scope) -> frozenset[str]:
    """The axes an aggregate must have to be filtered by the scope."""
    return {
        Reach.ORGANIZATION: frozenset[str](),
        Reach.TEAMS: frozenset({"team_id"}),
        Reach.CALLER: frozenset({"user_id"}),
    }.get(scope.reach, frozenset())


def condition(one: Filter, organization_id: int) -> Q:
    """One filter as a condition on its axis. Negated operators keep rows without a value."""
    positive = NEGATED.get(one.operator)
    if positive is None:
        return _positive(one.dimension, one.operator, one.values, organization_id)
    matching = _positive(one.dimension, positive, one.values, organization_id)
    if positive is Operator.NULL:
        return ~matching
    return ~matching | Q(**{f"{one.dimension.axis}__isnull": True})


def _positive(dimension: Dimension, operator: Operator, values: tuple[str, ...], organization_id: int) -> Q:
    if dimension.table is not None:
        return _by_table(dimension, operator, values, organization_id)
    if operator is Operator.NULL:
        return Q(**{f"{dimension.axis}__isnull": True})
    if dimension.value_type is ValueType.BOOLEAN:
        return Q(**{dimension.axis: values[0] == "true"})
    if dimension.value_type in (ValueType.NUMBER, ValueType.MONEY):
        return _by_number(dimension, operator, values)
    return Q(**{f"{dimension.axis}__{_TEXT_LOOKUPS[operator]}": _operand(operator, values)})


def _operand(operator: Operator, values: tuple[str, ...]) -> Any:
    return list(values) if operator in (Operator.EQ, Operator.IN) else values[0]


def _by_table(dimension: Dimension, operator: Operator, values: tuple[str, ...], organization_id: int) -> Q:
    missing = Q(**{f"{dimension.axis}__isnull": True})
    if operator is Operator.NULL:
        if dimension.attribute == "name":
            return missing
        nameless = matching_rows(dimension, Operator.EQ, ("",), organization_id)
        return missing | Q(**{f"{dimension.axis}__in": nameless.values("pk")})
    return Q(**{f"{dimension.axis}__in": matching_rows(dimension, operator, values, organization_id).values("pk")})


def matching_rows(
    dimension: Dimension, operator: Operator, values: tuple[str, ...], organization_id: int
) -> QuerySet[Any, Any]:
    """Rows of the dimension table whose label matches; the lookup comes from our table, the value is bound."""
    if dimension.table is None:
        raise ValueError(f"{dimension.name} has no table of labels")
    rows = dimension.table._default_manager.filter(organization_id=organization_id)
    if dimension.table is MetadataValue:
        rows = rows.filter(key_id=dimension.key_id)
    lookup = f"{dimension.attribute}__{_TEXT_LOOKUPS[operator]}"
    return rows.filter(**{lookup: _operand(operator, values)}).order_by()


def _by_number(dimension: Dimension, operator: Operator, values: tuple[str, ...]) -> Q:
    numbers = [stored_number(dimension, Decimal(value)) for value in values]
    lookup = _NUMBER_LOOKUPS[operator]
    return Q(**{f"{dimension.axis}__{lookup}": numbers if lookup in ("in", "range") else numbers[0]})


def stored_number(dimension: Dimension, number: Decimal) -> int | Decimal:
    """The number in the unit of its column: microseconds, picodollars, plain."""
    if dimension.value_type is ValueType.MONEY:
        return to_picodollars(number)
    scaled = number * 1000 if dimension.axis.endswith("_us") else number
    whole = int(scaled)
    return whole if whole == scaled else scaled
