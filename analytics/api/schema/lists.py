"""Description of `requests` and `dimensions/{name}/values`."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from analytics.api.report_question import FLAGS
from analytics.api.schema.parts import (
    FILTER,
    FLAG,
    INSTANT,
    MONEY,
    NUMBER,
    ORGANIZATION,
    TEXT,
    WHOLE,
    Schema,
    array,
    choice,
    nullable,
    parameter,
    record,
    responses,
    written,
)
from analytics.exports.formats import FORMATS, JSON
from analytics.exports.requests import TOKENS
from ingestion.records import Attribution, CostState

_JSON: Final = "application/json"
_CURSOR: Final = parameter("cursor", "`next_cursor` or `previous_cursor` of an answer to the same question.")

_ROW: Final[dict[str, Schema]] = {
    "request_id": TEXT,
    "started_at": INSTANT,
    "model": nullable(TEXT),
    "virtual_model": nullable(TEXT),
    "provider": nullable(TEXT),
    "team": TEXT,
    "user": nullable(TEXT),
    "virtual_account": nullable(TEXT),
    "status_code": nullable(WHOLE),
    "error_type": nullable(TEXT),
    "streaming": nullable(FLAG),
    "attempt": nullable(WHOLE),
    "input_tokens": nullable(WHOLE),
    "output_tokens": nullable(WHOLE),
    "units": nullable({"type": "object", "additionalProperties": WHOLE}),
    "latency_ms": nullable(NUMBER),
    "ttft_ms": nullable(NUMBER),
    "itl_ms": nullable(NUMBER),
    "tpot_ms": nullable(NUMBER),
    "cost_usd": nullable(MONEY),
    "cost_state": choice(CostState),
    "metadata": {"type": "object", "additionalProperties": TEXT},
}
_TRACE: Final = record(
    {"request_id": TEXT, "started_at": INSTANT, "attempt": nullable(WHOLE), "status_code": nullable(WHOLE)}
)
_ENTRY: Final = record(
    {
        "source": TEXT,
        "provider": TEXT,
        "match": TEXT,
        "model": TEXT,
        "class": TEXT,
        "service_tier": TEXT,
        "context_above": WHOLE,
        "effective_from": INSTANT,
    }
)
_LINE: Final = record(
    {
        "class": TEXT,
        "quantity": WHOLE,
        "price_usd": nullable(MONEY),
        "per": choice(("million tokens", "piece")),
        "amount_usd": nullable(MONEY),
        "entry": nullable(_ENTRY),
    }
)
_DETAIL: Final = record(
    _ROW
    | {
        "received_at": INSTANT,
        "operation": TEXT,
        "service_tier": nullable(TEXT),
        "trace_id": nullable(TEXT),
        "span_id": nullable(TEXT),
        "failed": FLAG,
        "failure_class": nullable(TEXT),
        "error_message": nullable(TEXT),
        "team_attribution": choice(Attribution),
        "user_email": nullable(TEXT),
        "tokens": record({name: nullable(WHOLE) for name in TOKENS}),
        "token_anomaly": FLAG,
        "list_cost_usd": nullable(MONEY),
        "contracted_cost_usd": nullable(MONEY),
        "reported_cost_usd": nullable(MONEY),
        "price_book_version": WHOLE,
        "price_lines": array(_LINE),
        "trace": array(_TRACE),
    }
)
_PAGE: Final = record(
    {
        "results": array(record(_ROW)),
        "next_cursor": nullable(TEXT),
        "previous_cursor": nullable(TEXT),
        "meta": record(
            {
                "timezone": TEXT,
                "fresh_until": INSTANT,
                "kept_from": nullable(INSTANT),
                "row_count": WHOLE,
                "total_count": WHOLE,
            },
            optional=("total_count",),
        ),
    }
)
_VALUES: Final = record(
    {
        "results": array(record({"value": TEXT, "label": TEXT, "last_seen": nullable(INSTANT)})),
        "next_cursor": nullable(TEXT),
    }
)


def _in_path(name: str, description: str) -> OpenApiParameter:
    return parameter(name, description, location=OpenApiParameter.PATH)


REQUESTS: Final[dict[str, Any]] = {
    "operation_id": "requests",
    "summary": "Single requests, newest first",
    "tags": ["requests"],
    "parameters": [
        ORGANIZATION,
        parameter("start", "First instant, inclusive; default: no border."),
        parameter("end", "Last instant, exclusive; default: no border."),
        FILTER,
        parameter("limit", "Rows of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 100}),
        _CURSOR,
        parameter("count", "Adds meta.total_count, from the aggregates.", choice(FLAGS, "false")),
        parameter("format", "Every format but json streams every row.", choice(FORMATS, JSON)),
    ],
    "responses": responses(written(_PAGE), 400, 415, 422),
}
REQUEST: Final[dict[str, Any]] = {
    "operation_id": "request",
    "summary": "One request",
    "tags": ["requests"],
    "parameters": [ORGANIZATION, _in_path("request_id", "The id that the gateway sent.")],
    "responses": responses({_JSON: _DETAIL}),
}
DIMENSION_VALUES: Final[dict[str, Any]] = {
    "operation_id": "dimension_values",
    "summary": "Values of a dimension, last used first",
    "tags": ["metrics"],
    "parameters": [
        ORGANIZATION,
        _in_path("name", "Native name of a dimension, or metadata.<key>."),
        parameter("q", "Beginning of the value or of one of its words, in any case."),
        parameter("limit", "Values of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 20}),
        _CURSOR,
    ],
    "responses": responses({_JSON: _VALUES}, 400),
}
