"""The facts that a scope, a period and filters leave; the only way from a question to single requests."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from analytics.catalog.dimensions import Dimension
from analytics.cells.expressions import MetadataText
from analytics.query.conditions import condition, scope_condition
from analytics.query.values import Filter, Operator
from ingestion.models import LLMRequest, MetadataKey, MetadataValue
from metricsportal.lib.timerange import TimeRange
from teams.access import Scope


def scoped_facts(
    scope: Scope, periods: TimeRange | Sequence[TimeRange], filters: Iterable[Filter]
) -> QuerySet[LLMRequest]:
    """Requests inside the scope that started in the period(s) and match every filter."""
    ranges = [periods] if isinstance(periods, TimeRange) else periods
    within = Q(pk__in=[])
    for period in ranges:
        within |= Q(started_at__gte=period.start, started_at__lt=period.end)
    facts = LLMRequest.objects.filter(scope_condition(scope)).filter(within)
    for number, one in enumerate(filters):
        if one.dimension.key_id is None:
            facts = facts.filter(condition(one, scope.organization_id))
        else:
            facts = _by_metadata(facts, one, f"metadata_{number}")
    return facts


def _by_metadata(facts: QuerySet[LLMRequest], one: Filter, alias: str) -> QuerySet[LLMRequest]:
    """Facts whose metadata text is among the key's known values that match. The alias is ours, the key is bound."""
    key = MetadataKey.objects.get(pk=one.dimension.key_id)
    facts = facts.alias(**{alias: MetadataText(key.name)})
    texts = Dimension(alias, alias, alias, alias, table=MetadataValue, key_id=key.pk)
    if one.operator in (Operator.NULL, Operator.NNULL):
        return facts.filter(**{f"{alias}__isnull": one.operator is Operator.NULL})
    matching = condition(Filter(texts, one.operator, one.values), key.organization_id)
    return facts.filter(_as_names(matching))


def _as_names(matching: Q) -> Q:
    """The condition with sub-selects of ids turned into sub-selects of names."""
    rebuilt = Q(_connector=matching.connector, _negated=matching.negated)
    for child in matching.children:
        if isinstance(child, Q):
            rebuilt.add(_as_names(child), matching.connector)
        else:
            name, value = child
            rebuilt.add(Q(**{name: value.values("name") if isinstance(value, QuerySet) else value}), matching.connector)
    return rebuilt
