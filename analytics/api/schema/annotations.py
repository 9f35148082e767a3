"""Description of `annotations`."""

from functools import partial
from typing import Final

from drf_spectacular.utils import OpenApiParameter

from analytics.annotations.content import KINDS, MAX_EXTERNAL_ID, MAX_LINK, MAX_TEXT
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

_JSON: Final = "application/json"
_WORDS: Final = TEXT | {"minLength": 1, "maxLength": MAX_TEXT}
_LINK: Final = nullable(TEXT | {"maxLength": MAX_LINK, "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"})
_EXTERNAL_ID: Final = nullable(TEXT | {"maxLength": MAX_EXTERNAL_ID})
_TEAM: Final = nullable(TEXT) | {"description": "null: for the whole organization"}
_TOLD: Final = nullable(TEXT) | {"description": "ISO 8601 with an offset, or now, now-10m; at without a value: now."}
_NOTE: Final = record(
    {
        "id": WHOLE,
        "kind": choice(KINDS),
        "at": INSTANT,
        "end": nullable(INSTANT),
        "text": _WORDS,
        "link": _LINK,
        "team": _TEAM,
        "external_id": _EXTERNAL_ID,
        "author": nullable(TEXT),
        "created_at": INSTANT,
    }
)
_SENT: Final = record(
    {
        "kind": choice(KINDS),
        "at": _TOLD,
        "end": _TOLD,
        "text": _WORDS,
        "link": _LINK,
        "team": _TEAM,
        "external_id": _EXTERNAL_ID
        | {"description": "The sender's own name of the event: sent again, it is the same."},
    },
    optional=("at", "end", "link", "team", "external_id"),
)
_LIST: Final[Schema] = record({"results": array(_NOTE), "next_cursor": nullable(TEXT)})
_operation = partial(operation, "annotations")
_ID: Final = parameter("annotation_id", "Id of the annotation.", location=OpenApiParameter.PATH)


ANNOTATIONS: Final = _operation(
    "annotations",
    "Annotations of a range, newest first",
    responses({_JSON: _LIST}, 400),
    parameter("from", "First instant, inclusive; default: no border."),
    parameter("to", "Last instant, exclusive; default: no border."),
    parameter("limit", "Annotations of a page.", WHOLE | {"minimum": 1, "maximum": 1000, "default": 100}),
    parameter("cursor", "`next_cursor` of an answer to the same question."),
)
ANNOTATION_ADD: Final = _operation(
    "annotation_add",
    "Note a deploy, a change of prices or routing, an incident (a key needs the scope ingest)",
    responses({_JSON: _NOTE}, 400, 409, 413, 415) | {(201, _JSON): _NOTE},
) | {"request": {_JSON: _SENT}}
ANNOTATION: Final = _operation("annotation", "One annotation", responses({_JSON: _NOTE}, 400), _ID)
ANNOTATION_DELETE: Final = _operation(
    "annotation_delete",
    "Remove an annotation (a key with the scope ingest: one that it sent)",
    responses({}, 400) | {204: None},
    _ID,
)
