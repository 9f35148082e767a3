"""Description of `metrics/query` and `metrics/meta`."""

from typing import Any, Final

from analytics.api.question import (
    DATASOURCES,
    DIRECTIONS,
    INTERVALS,
    MAX_AGGREGATIONS,
    MAX_FILTERS,
    MAX_GROUP_BY,
    MAX_GROUPS,
    TYPES,
)
from analytics.api.schema.parts import (
    FLAG,
    INSTANT,
    NUMBER,
    ORGANIZATION,
    SOURCES,
    TEXT,
    WHOLE,
    Schema,
    array,
    choice,
    nullable,
    parameter,
    record,
    responses,
)
from analytics.catalog.dimensions import DIMENSIONS
from analytics.catalog.measures import MEASURES, Kind, Population, Unit
from analytics.query.parsing import LONG_OPERATORS, MAX_VALUES
from analytics.query.values import Compare

_AGGREGATION_TYPES: Final = tuple(dict.fromkeys(name for one in MEASURES for name in one.aggregations))


def _aggregation(more: dict[str, Schema]) -> Schema:
    """A type and a column that make sense together; `more`: optional fields beside them."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for measure in MEASURES:
        columns.setdefault(tuple(measure.aggregations), []).append(measure.api_name)
    pairs = ({"type": choice(types), "column": choice(names)} for types, names in columns.items())
    return {"anyOf": [record(pair | more, optional=more) for pair in pairs]}


_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
_GROUPS: Final = ", ".join(one.api_name for one in DIMENSIONS if one.groupable)
_FILTERS: Final = ", ".join(one.api_name for one in DIMENSIONS)
_COMPARISONS: Final = tuple(one.value for one in Compare)
_POPULATIONS: Final = tuple(one.value for one in Population)

_FILTER: Final = record(
    {
        "fieldName": {"type": "string", "description": f"{_FILTERS} or metadata.<key>"},
        "metadataKey": {"type": "string", "description": "Instead of fieldName."},
        "operator": choice(LONG_OPERATORS),
        "value": {"oneOf": [_SCALAR, array(_SCALAR, MAX_VALUES)]},
    },
    optional=("fieldName", "metadataKey", "value"),
)
QUESTION: Final = record(
    {
        "startTs": {"type": "string", "description": "Inclusive; ISO 8601 with an offset, or now-7d."},
        "endTs": {"type": "string", "description": "Exclusive."},
        "datasource": choice(DATASOURCES, DATASOURCES[0]),
        "type": choice(TYPES),
        "interval": choice(INTERVALS, INTERVALS[0]),
        "aggregations": array(_aggregation({}), MAX_AGGREGATIONS) | {"minItems": 1},
        "groupBy": array({"type": "string", "description": f"{_GROUPS} or metadata.<key>"}, MAX_GROUP_BY),
        "filters": array(_FILTER, MAX_FILTERS),
        "orderBy": array(_aggregation({"direction": choice(DIRECTIONS, "desc")}), 1),
        "limit": WHOLE | {"minimum": 1, "maximum": MAX_GROUPS, "default": 100},
        "other": FLAG | {"default": True},
        "compare": choice(_COMPARISONS, "none"),
        "population": choice(_POPULATIONS, "successful"),
        "explain": FLAG | {"default": False, "description": "Adds meta.explain."},
    },
    optional=(
        "datasource",
        "interval",
        "groupBy",
        "filters",
        "orderBy",
        "limit",
        "other",
        "compare",
        "population",
        "explain",
    ),
)
_VALUE: Final[Schema] = {
    "type": ["string", "number", "integer", "boolean", "object", "null"],
    "description": "Values by type and column (sumCostInUSD: text; p99LatencyMs: number), groups by their name.",
}
_POINT: Final = record(
    {"startTimestamp": INSTANT, "endTimestamp": INSTANT, "total": WHOLE, "partial": FLAG, "literal": FLAG},
    optional=("partial", "literal"),
    more=_VALUE,
)
_PART: Final = record(
    {
        "source": choice(SOURCES),
        "grain": nullable(TEXT),
        "facts": FLAG,
        "startTimestamp": INSTANT,
        "endTimestamp": INSTANT,
        "ranges": WHOLE,
        "rowsRead": WHOLE,
        "elapsedMs": NUMBER,
    }
)
ANSWER: Final = record(
    {
        "data": record({"dataPoints": array(_POINT), "summary": record({"total": WHOLE}, more=_VALUE)}),
        "meta": record(
            {
                "timezone": TEXT,
                "interval": nullable(TEXT),
                "freshUntil": INSTANT,
                "pricedShare": nullable(NUMBER),
                "unpricedRequests": WHOLE,
                "unpricedTokens": WHOLE,
                "priceBookVersion": WHOLE,
                "rowCount": WHOLE,
                "groups": record({"shown": WHOLE, "other": WHOLE}),
                "source": TEXT,
                "rowsRead": WHOLE,
                "elapsedMs": WHOLE,
                "staleHours": WHOLE,
                "percentileError": NUMBER,
                "lastVerified": nullable(INSTANT),
                "explain": record({"parts": array(_PART)}),
            },
            optional=("explain",),
        ),
    }
)
_FORM: Final = record(
    {
        "columns": array(
            record(
                {
                    "name": TEXT,
                    "native": TEXT,
                    "label": TEXT,
                    "unit": choice(Unit),
                    "kind": choice(Kind),
                    "aggregations": array(choice(_AGGREGATION_TYPES)),
                    "definition": TEXT,
                }
            )
        ),
        "dimensions": array(
            record(
                {
                    "name": TEXT,
                    "native": TEXT,
                    "label": TEXT,
                    "type": TEXT,
                    "operators": array(choice(LONG_OPERATORS)),
                    "coverage": nullable(NUMBER),
                    "groupable": FLAG,
                }
            )
        ),
        "intervals": array(TEXT),
        "limits": record(dict.fromkeys(("group_by", "aggregations", "groups", "points", "queries_per_minute"), WHOLE)),
        "notes": array(TEXT),
        "timezone": TEXT,
        "fresh_until": INSTANT,
    }
)
_JSON: Final = "application/json"

QUERY_POST: Final[dict[str, Any]] = {
    "operation_id": "metrics_query",
    "summary": "Aggregates per group, or per bucket and group",
    "tags": ["metrics"],
    "parameters": [ORGANIZATION],
    "request": {_JSON: QUESTION},
    "responses": responses({_JSON: ANSWER}, 400, 413, 415, 422),
}
QUERY_GET: Final[dict[str, Any]] = {
    "operation_id": "metrics_query_link",
    "summary": "The same question in the query string",
    "tags": ["metrics"],
    "parameters": [ORGANIZATION, parameter("query", "The question as URL-encoded JSON.", required=True)],
    "responses": responses({_JSON: ANSWER}, 400, 422),
}
META: Final[dict[str, Any]] = {
    "operation_id": "metrics_meta",
    "summary": "What can be asked",
    "tags": ["metrics"],
    "parameters": [ORGANIZATION],
    "responses": responses({_JSON: _FORM}, 400),
}
