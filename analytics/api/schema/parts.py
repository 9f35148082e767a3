"""Building blocks of descriptions: JSON schemas as dictionaries, refusals, parameters."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from analytics.exports.formats import FORMATS, JSON
from metricsportal.lib.problems import CONTENT_TYPE, KINDS

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
BINARY: Final[Schema] = {"type": "string", "format": "binary"}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
MONEY: Final[Schema] = {
    "type": "string",
    "pattern": r"^-?\d+(\.\d{1,12})?$",
    "description": "US dollars: fixed notation, at most 12 decimals, no trailing zeros.",
}


SOURCES: Final = ("day", "hour", "quarter", "requests", "facts")
"""What a part of an answer is read from."""


def nullable(schema: Schema) -> Schema:
    """The same, or null: no value, never zero."""
    return schema | {"type": [schema["type"], "null"]}


def choice(values: Iterable[str], default: str | None = None) -> Schema:
    """One of a closed list."""
    return {"type": "string", "enum": list(values)} | ({} if default is None else {"default": default})


def array(items: Schema, most: int | None = None) -> Schema:
    """A list."""
    return {"type": "array", "items": items} | ({} if most is None else {"maxItems": most})


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = (), more: Schema | bool = False) -> Schema:
    """An object; every property is there unless named as optional. `more`: what further properties hold."""
    left_out = {*optional}
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in left_out],
        "additionalProperties": more,
    }


_ERROR: Final = record(
    {
        "loc": array({"type": ["string", "integer"]}),
        "code": TEXT,
        "message": TEXT,
        "allowed": array(TEXT),
    },
    optional=("allowed",),
)
PROBLEM: Final = record(
    {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": WHOLE,
        "detail": TEXT,
        "instance": TEXT,
        "request_id": TEXT,
        "errors": array(_ERROR),
        "estimate_rows": WHOLE,
        "budget_rows": WHOLE,
        "suggestions": array(TEXT),
        "byte": WHOLE,
        "line": WHOLE,
        "column": WHOLE,
    },
    optional=("errors", "estimate_rows", "budget_rows", "suggestions", "byte", "line", "column"),
)


def written(answer: Schema) -> dict[str, Schema]:
    """An answer in every format, by content type: its JSON has that schema, the others are files."""
    files = {one.content_type.partition(";")[0]: TEXT if one.is_text else BINARY for one in FORMATS.values()}
    return files | {FORMATS[JSON].content_type: answer}


def responses(answers: Mapping[str, Schema], *refusals: int, status: int = 200) -> dict[Any, Any]:
    """Answers by content type (none: no body), and the problem documents of the other statuses."""
    found: dict[Any, Any] = {(status, content_type): schema for content_type, schema in answers.items()}
    if not answers:
        found[status] = None
    for refused in (401, 403, 404, *refusals, 429, 500, 503):
        found[(refused, CONTENT_TYPE)] = PROBLEM | {"description": KINDS[refused][1]}
    return found


def parameter(name: str, description: str, schema: Schema | None = None, **options: Any) -> OpenApiParameter:
    """A parameter of the query string, unless `location` says otherwise."""
    return OpenApiParameter(name, schema or TEXT, description=description, **options)


ORGANIZATION: Final = parameter(
    "organization", "Slug of one of the caller's organizations; a browser may belong to several, a key to one."
)
FILTER: Final = parameter(
    "filter",
    "`field:operator:value[,value]`, ANDed; a comma inside a value is `\\,`.",
    array(TEXT),
    explode=True,
)


def operation(
    tag: str, name: str, summary: str, answers: dict[Any, Any], *parameters: OpenApiParameter
) -> dict[str, Any]:
    """An operation of a resource that belongs to an organization, for `extend_schema`."""
    return {
        "operation_id": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [ORGANIZATION, *parameters],
        "responses": answers,
    }
