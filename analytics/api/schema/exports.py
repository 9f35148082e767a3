"""Description of `exports`."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from analytics.api.export_question import LISTS, SUBJECTS
from analytics.api.schema.focus import FOCUS
from analytics.api.schema.lists import REQUESTS
from analytics.api.schema.parts import (
    BINARY,
    FLAG,
    INSTANT,
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
from analytics.api.schema.reports import REPORT
from analytics.exports.formats import FORMATS
from analytics.exports.jobs.acts import MOST, State

_JSON: Final = "application/json"
_TEXTS: Final[Schema] = {"oneOf": [TEXT, array(TEXT)]}


def _body(subject: str, operation: dict[str, Any]) -> Schema:
    """The parameters of an endpoint as an object: lists may be lists, true and false are themselves."""
    known = {one.name: one for one in operation["parameters"]}
    fields: dict[str, Schema] = {}
    for name in SUBJECTS[subject]:
        schema = _TEXTS if name in LISTS else FLAG if name == "explain" else known[name].type
        fields[name] = schema | {"description": known[name].description}
    return record({"of": {"const": subject}, **fields}, optional=fields)


_QUESTION: Final[Schema] = {"oneOf": [_body("report", REPORT), _body("requests", REQUESTS), _body("focus", FOCUS)]}
_JOB: Final = record(
    {
        "id": TEXT | {"format": "uuid"},
        "self": TEXT,
        "of": choice(SUBJECTS),
        "format": choice(FORMATS),
        "name": TEXT,
        "state": choice(State.values),
        "progress": NUMBER | {"minimum": 0, "maximum": 1},
        "rows": WHOLE | {"description": "Read so far; in the file once it is done."},
        "bytes": nullable(WHOLE),
        "sha256": nullable(TEXT),
        "url": nullable(TEXT) | {"description": "Path of the file, once it is there."},
        "manifest_url": nullable(TEXT),
        "created_at": INSTANT,
        "expires_at": INSTANT,
        "problem": nullable(record({"title": TEXT, "detail": TEXT})),
    }
)
_MANIFEST: Final[Schema] = {
    "type": "object",
    "description": "Question, zone, price book version, rows, totals, SHA-256 of the question and of the file.",
    "additionalProperties": True,
}
_ID: Final = parameter("export_id", "`id` of an export.", TEXT | {"format": "uuid"}, location=OpenApiParameter.PATH)
_LOCATION: Final = parameter("Location", "Where to ask for it.", location=OpenApiParameter.HEADER, response=[202])
_ONE: Final = [ORGANIZATION, _ID]

EXPORTS: Final[dict[str, Any]] = {
    "operation_id": "exports",
    "summary": "The caller's exports, newest first",
    "tags": ["exports"],
    "parameters": [ORGANIZATION],
    "responses": responses({_JSON: record({"results": array(_JOB)})}),
}
EXPORT_CREATE: Final[dict[str, Any]] = {
    "operation_id": "export_create",
    "summary": "Have a file prepared in the background",
    "description": f"At most {MOST} of an organization are prepared at a time; one more is answered 429.",
    "tags": ["exports"],
    "parameters": [ORGANIZATION, _LOCATION],
    "request": {_JSON: _QUESTION},
    "responses": responses({_JSON: _JOB}, 400, 413, 415, 422, status=202),
}
EXPORT: Final[dict[str, Any]] = {
    "operation_id": "export",
    "summary": "How far an export is, and where its file is",
    "tags": ["exports"],
    "parameters": _ONE,
    "responses": responses({_JSON: _JOB}),
}
EXPORT_DELETE: Final[dict[str, Any]] = {
    "operation_id": "export_delete",
    "summary": "Stop an export and delete its file",
    "tags": ["exports"],
    "parameters": _ONE,
    "responses": responses({}, status=204),
}
EXPORT_FILE: Final[dict[str, Any]] = {
    "operation_id": "export_file",
    "summary": "The file of an export",
    "tags": ["exports"],
    "parameters": _ONE,
    "responses": responses(written(BINARY)),
}
EXPORT_MANIFEST: Final[dict[str, Any]] = {
    "operation_id": "export_manifest",
    "summary": "What the file of an export is the answer to",
    "tags": ["exports"],
    "parameters": _ONE,
    "responses": responses({_JSON: _MANIFEST}),
}
