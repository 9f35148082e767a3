"""Description of `budgets`."""

from functools import partial
from typing import Final

from drf_spectacular.utils import OpenApiParameter

from analytics.api.schema.parts import (
    FLAG,
    INSTANT,
    NUMBER,
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
from analytics.budgets.content import (
    EVERY,
    MAX_NAME,
    MOST_RECIPIENTS,
    MOST_THRESHOLD,
    MOST_THRESHOLDS,
    UNITS,
)

_JSON: Final = "application/json"
_DAY: Final[Schema] = {"type": "string", "format": "date"}
_FIGURE: Final[Schema] = {"type": "string", "pattern": r"^\d+(\.\d{1,12})?$", "description": "US dollars or tokens."}
_AMOUNT: Final[Schema] = {"type": ["string", "number"], "description": "Dollars with cents, or whole tokens."}
_THRESHOLD: Final = WHOLE | {"minimum": 1, "maximum": MOST_THRESHOLD}
_CHANGEABLE: Final[dict[str, Schema]] = {
    "name": TEXT | {"minLength": 1, "maxLength": MAX_NAME},
    "amount": _AMOUNT,
    "thresholds": array(_THRESHOLD, MOST_THRESHOLDS) | {"description": "Per cent of the amount."},
    "forecast": FLAG | {"description": "Tell when the forecast passes the amount."},
    "recipients": array(TEXT, MOST_RECIPIENTS) | {"description": "People who may see what the budget is about."},
    "webhook": nullable(TEXT) | {"description": "https:// address of the public network."},
}
_FIXED: Final[dict[str, Schema]] = {
    "team": nullable(TEXT) | {"description": "null: the whole organization"},
    "dimension": nullable(TEXT) | {"description": "user, virtual_account, model or metadata.KEY; null: all requests"},
    "value": nullable(TEXT) | {"description": "The one that the budget is about."},
    "unit": choice(UNITS, UNITS[0]),
    "every": choice(EVERY, EVERY[0]),
}
_BUDGET: Final = record(
    {"id": WHOLE, **_CHANGEABLE, **_FIXED, "amount": _FIGURE, "created_at": INSTANT},
)
_SENT: Final = record(
    _CHANGEABLE | _FIXED,
    optional=("thresholds", "forecast", "recipients", "webhook", *_FIXED),
)
_PATCH: Final = record(_CHANGEABLE, optional=tuple(_CHANGEABLE))
_TOLD: Final = record({"threshold": nullable(_THRESHOLD), "forecast": FLAG, "at": INSTANT})
_STATUS: Final = record(
    {
        "budget": WHOLE,
        "from": INSTANT,
        "to": INSTANT,
        "as_of": INSTANT,
        "unit": choice(UNITS),
        "amount": _FIGURE,
        "used": _FIGURE | {"description": "As the dashboard and metrics/query say; at_least: more than that."},
        "used_share": NUMBER,
        "at_least": FLAG | {"description": "Requests without a price add nothing."},
        "unpriced_requests": WHOLE,
        "forecast": nullable(_FIGURE) | {"description": "By the end of the period; null: too little is known."},
        "forecast_crosses_on": nullable(_DAY),
        "told": array(_TOLD),
    }
)
_LIST: Final[Schema] = record({"results": array(_BUDGET), "next_cursor": nullable(TEXT)})
_operation = partial(operation, "budgets")
_ID: Final = parameter("budget_id", "Id of the budget.", location=OpenApiParameter.PATH)


BUDGETS: Final = _operation(
    "budgets",
    "Budgets by name",
    responses({_JSON: _LIST}, 400),
    parameter("limit", "Budgets of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 100}),
    parameter("cursor", "`next_cursor` of an answer to the same question."),
)
BUDGET_ADD: Final = _operation(
    "budget_add", "Make a budget (people only)", responses({_JSON: _BUDGET}, 400, 409, 413, 415, status=201)
) | {"request": {_JSON: _SENT}}
BUDGET: Final = _operation("budget", "One budget", responses({_JSON: _BUDGET}, 400), _ID)
BUDGET_CHANGE: Final = _operation(
    "budget_change",
    "Change name, amount, thresholds or who is told; another amount holds from now on (people only)",
    responses({_JSON: _BUDGET}, 400, 409, 413, 415),
    _ID,
) | {"request": {_JSON: _PATCH}}
BUDGET_DELETE: Final = _operation(
    "budget_delete", "Remove a budget (people only)", responses({}, 400) | {204: None}, _ID
)
BUDGET_STATUS: Final = _operation(
    "budget_status", "How far a budget is used now", responses({_JSON: _STATUS}, 400, 409), _ID
)
