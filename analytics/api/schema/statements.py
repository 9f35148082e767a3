"""Description of `statements`."""

from functools import partial
from typing import Final

from drf_spectacular.utils import OpenApiParameter

from analytics.api.schema.parts import (
    FLAG,
    INSTANT,
    MONEY,
    TEXT,
    WHOLE,
    Schema,
    array,
    choice,
    nullable,
    operation,
    parameter,
    record,
    responses,
)
from analytics.exports.formats import JSON

_JSON: Final = "application/json"
_MONTH: Final = TEXT | {"pattern": r"^\d{4}-\d{2}$"}
_COUNTS: Final = dict.fromkeys(
    ("requests", "failed", "input_tokens", "output_tokens", "unpriced_requests", "priced_requests"), WHOLE
)
_LINE: Final = record({"model": TEXT, "adjusts": _MONTH, "cost_usd": MONEY} | _COUNTS, optional=("adjusts",))
_SHARED: Final = record(
    {
        "text": TEXT,
        "source": TEXT,
        "account_id": nullable(WHOLE) | {"description": "The virtual account; null: what belongs to no team."},
        "method": choice(("even", "usage", "fixed")),
        "percent": nullable(TEXT) | {"description": "Of the source; null: what is taken off because it is shared."},
        "adjusts": _MONTH,
        "cost_usd": MONEY,
    },
    optional=("adjusts",),
)
_SUMMARY: Final = record(
    {
        "number": TEXT,
        "month": _MONTH,
        "team": nullable(TEXT) | {"description": "null: what belongs to no team"},
        "issued_at": INSTANT,
        "requests": WHOLE,
        "failed_requests": WHOLE,
        "input_tokens": WHOLE,
        "output_tokens": WHOLE,
        "cost_usd": nullable(MONEY),
        "shared_usd": MONEY | {"description": "The part of the cost that came by sharing; negative: given away."},
        "charged_usd": nullable(MONEY) | {"description": "The total as the statement says it: rounded."},
        "unpriced_requests": WHOLE,
        "price_book_version": WHOLE,
        "sha256": TEXT,
    }
)
_DOCUMENT: Final[Schema] = record(
    {
        "format": WHOLE,
        "number": TEXT,
        "organization": record({"slug": TEXT, "name": TEXT}),
        "team": record({"name": TEXT, "unassigned": FLAG}),
        "month": _MONTH,
        "zone": TEXT,
        "start": INSTANT,
        "end": INSTANT,
        "issued_at": INSTANT,
        "currency": TEXT,
        "price_book_version": WHOLE,
        "lines": array(_LINE),
        "adjustments": array(_LINE),
        "shared": array(_SHARED) | {"description": "Where costs were shared. Zero over all statements of a month."},
        "total": record({"cost_usd": MONEY} | _COUNTS),
        "previous": nullable({"type": "object"}),
        "display": {"type": "object", "description": "The total in the second currency, where there was a rate."},
    },
    optional=("display", "shared"),
    more=True,
)
_CLASS: Final = record(
    {
        "model": TEXT,
        "adjusts": nullable(_MONTH),
        "virtual_account": nullable(TEXT),
        "token_class": TEXT,
        "quantity": nullable(WHOLE),
        "unit": nullable(TEXT),
        "price_usd": nullable(MONEY) | {"description": "List price of `price_of`, such as 1000000 Tokens."},
        "price_of": nullable(TEXT),
        "list_cost_usd": nullable(MONEY),
        "cost_usd": nullable(MONEY) | {"description": "null: it has no price."},
    }
)
_DETAIL: Final = record({"sha256": TEXT, "rows": array(_CLASS)})
_LIST: Final = record({"results": array(_SUMMARY), "next_cursor": nullable(TEXT)})
_operation = partial(operation, "statements")

STATEMENTS: Final = _operation(
    "statements",
    "Monthly statements, newest month first",
    responses({_JSON: _LIST}, 400),
    parameter("month", "One month, such as 2026-10.", _MONTH),
    parameter("limit", "Statements of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 100}),
    parameter("cursor", "`next_cursor` of an answer to the same question."),
)
STATEMENT: Final = _operation(
    "statement",
    "One statement, as it was frozen",
    responses(
        {
            _JSON: {"oneOf": [record({"sha256": TEXT, "document": _DOCUMENT}), _DETAIL]},
            "text/csv": TEXT,
            "application/pdf": TEXT | {"format": "binary"},
        },
        *(400, 415, 422),
    ),
    parameter("number", "Number of the statement.", location=OpenApiParameter.PATH),
    parameter("format", "`csv`, `pdf`: as files; 415 where no PDF is made.", choice((JSON, "csv", "pdf"), JSON)),
    parameter("detail", "What stands behind its lines, as json or csv.", choice(("classes",))),
)
