"""What `metrics/meta` tells: made from the catalogue, within what the caller may see."""

from datetime import datetime
from typing import Any

from django.conf import settings

from analytics.api import limits
from analytics.api.question import INTERVALS, MAX_AGGREGATIONS, MAX_GROUP_BY, MAX_GROUPS
from analytics.catalog.dimensions import DIMENSIONS, Dimension, metadata_dimension
from analytics.catalog.measures import MEASURES, Measure
from analytics.exports.cells import instant
from analytics.query.coverage import coverage
from analytics.query.keys import visible_keys
from analytics.query.parsing import LONG_OPERATORS, OPERATORS
from teams.access import Scope

NOTES = (
    "A request is one row with a model and perhaps a virtual model: grouping by model needs no filter on the other.",
    "A request has one team, so teams add up to the total.",
)


def describe(scope: Scope, now: datetime) -> dict[str, Any]:
    """Columns, dimensions with operators and coverage, intervals, limits."""
    keys = tuple(metadata_dimension(key) for key in visible_keys(scope))
    shares = coverage(scope, keys, now)
    return {
        "columns": [_column(measure) for measure in MEASURES],
        "dimensions": [
            *(_dimension(one) for one in DIMENSIONS),
            *(_dimension(one) | {"coverage": shares[one.name]} for one in keys),
        ],
        "intervals": list(INTERVALS),
        "limits": {
            "group_by": MAX_GROUP_BY,
            "aggregations": MAX_AGGREGATIONS,
            "groups": MAX_GROUPS,
            "points": limits.MAX_POINTS,
            "queries_per_minute": settings.QUERIES_PER_MINUTE,
        },
        "notes": list(NOTES),
        "timezone": scope.zone,
        "fresh_until": instant(now),
    }


def _column(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.api_name,
        "native": measure.name,
        "label": measure.label,
        "unit": measure.unit.value,
        "kind": measure.kind.value,
        "aggregations": list(measure.aggregations),
        "definition": measure.definition,
    }


def _dimension(one: Dimension) -> dict[str, Any]:
    operators = [name for name, short in LONG_OPERATORS.items() if short in OPERATORS[one.value_type]]
    return {
        "name": one.api_name,
        "native": one.name,
        "label": one.label,
        "type": one.value_type.value,
        "operators": operators,
        "coverage": None,
        "groupable": one.groupable,
    }
