"""Description of `saved-views`."""

from functools import partial
from typing import Final

from drf_spectacular.utils import OpenApiParameter

from analytics.api.saved_content import MAX_NAME
from analytics.api.schema.metrics import ANSWER, QUESTION
from analytics.api.schema.parts import (
    INSTANT,
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
from analytics.api.schema.reports import ANSWER as REPORT_ANSWER
from analytics.dashboards.state import PARAMETERS
from analytics.defaults import For
from analytics.exports.formats import FORMATS, JSON
from analytics.saved import KINDS

_JSON: Final = "application/json"
_NAME: Final = TEXT | {"minLength": 1, "maxLength": MAX_NAME}
_SUMMARY: Final[dict[str, Schema]] = {
    "id": WHOLE,
    "name": _NAME,
    "kind": choice(KINDS),
    "team": nullable(TEXT) | {"description": "null: private"},
    "default_for": array(choice([one.value for one in For])) | {"description": "whose dashboard opens with it"},
    "created_at": INSTANT,
    "updated_at": INSTANT,
}
_PARAMETERS: Final[Schema] = {
    "type": "object",
    "description": f"Parameters of a report except format, or of the dashboard: {', '.join(PARAMETERS)}.",
    "additionalProperties": {"oneOf": [TEXT, array(TEXT)]},
}
_CONTENT: Final[Schema] = {"anyOf": [QUESTION, _PARAMETERS]}
_SENT: Final[dict[str, Schema]] = {"name": _NAME, "kind": choice(KINDS), "content": _CONTENT}
_VIEW: Final = record(_SUMMARY | {"content": {"type": "object"}})
_LIST: Final = record({"results": array(record(_SUMMARY)), "next_cursor": nullable(TEXT)})
_operation = partial(operation, "saved views")
_ID: Final = parameter("view_id", "Id of the view.", location=OpenApiParameter.PATH)


SAVED_LIST: Final = _operation(
    "saved_views",
    "Saved views by name",
    responses({_JSON: _LIST}, 400),
    parameter("kind", "Only those.", choice(KINDS)),
    parameter("limit", "Views of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 100}),
    parameter("cursor", "`next_cursor` of an answer to the same question."),
)
SAVED_ADD: Final = _operation(
    "saved_view_add",
    "Keep a question under a name",
    responses({_JSON: _VIEW}, 400, 409, 413, 415, 422) | {(201, _JSON): _VIEW},
) | {"request": {_JSON: record(_SENT | {"team": nullable(TEXT)}, optional=("team",))}}
SAVED_READ: Final = _operation("saved_view", "One saved view", responses({_JSON: _VIEW}, 400), _ID)
SAVED_REPLACE: Final = _operation(
    "saved_view_replace",
    "Replace name and content",
    responses({_JSON: _VIEW}, 400, 409, 413, 415, 422),
    _ID,
) | {"request": {_JSON: record(_SENT)}}
SAVED_DELETE: Final = _operation("saved_view_delete", "Remove a saved view", responses({}, 400) | {204: None}, _ID)
SAVED_RESULT: Final = _operation(
    "saved_view_result",
    "The answer to a saved question, as the caller sees it",
    responses(
        {_JSON: {"anyOf": [ANSWER, REPORT_ANSWER]}, "text/csv": TEXT, "application/x-ndjson": TEXT}, 400, 409, 415, 422
    ),
    _ID,
    parameter("format", "Of reports; a key needs the scope export for files.", choice(FORMATS, JSON)),
)
_WHOM: Final = parameter("whom", "Whose default.", choice([one.value for one in For]), location=OpenApiParameter.PATH)
SAVED_CHOOSE: Final = _operation(
    "saved_view_choose", "Let the dashboard open with a view", responses({}, 400, 409) | {204: None}, _ID, _WHOM
) | {"request": None}
SAVED_FORGET: Final = _operation(
    "saved_view_forget", "Let the dashboard open without a view", responses({}, 400) | {204: None}, _ID, _WHOM
)
