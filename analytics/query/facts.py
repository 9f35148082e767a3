"""The facts that a scope, a period and filters leave; the only way from a question to single requests."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from analytics.cells.expressions import MetadataText
from analytics.query.conditions import NEGATED, NOTHING, condition, matching_rows, scope_condition
from analytics.query.values import Filter, Operator
from ingestion.models import LLMRequest, MetadataKey
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope


def scoped_facts(
    scope: Scope, periods: TimeRange | Sequence[TimeRange], filters: Iterable[Filter]
) -> QuerySet[LLMRequest]:
    """Requests inside the scope that started in the period(s) and match every filter."""
    ranges = [periods] if isinstance(periods, TimeRange) else periods
    within = [Q(started_at__gte=period.start, started_at__lt=period.end) for period in ranges]
    facts = LLMRequest.objects.filter(scope_condition(scope)).filter(reduce(or_, within, NOTHING))
    for number, one in enumerate(filters):
        if one.dimension.key_id is None:
            facts = facts.filter(condition(one, scope.organization_id))
        else:
            facts = _by_metadata(facts, one, f"metadata_{number}")
    return facts


def _by_metadata(facts: QuerySet[LLMRequest], one: Filter, alias: str) -> QuerySet[LLMRequest]:
    """Facts whose metadata text is among the key's known values that match. The alias is ours, the key is bound."""
    key = MetadataKey.objects.get(pk=one.dimension.key_id or 0)
    facts = facts.alias(**{alias: MetadataText(key.name)})
    if one.operator in (Operator.NULL, Operator.NNULL):
        return facts.filter(**{f"{alias}__isnull": one.operator is Operator.NULL})
    operator = NEGATED.get(one.operator)
    rows = matching_rows(one.dimension, operator or one.operator, one.values, key.organization_id)
    matching = Q(**{f"{alias}__in": rows.values("name")})
    return facts.filter(matching if operator is None else ~matching | Q(**{f"{alias}__isnull": True}))
