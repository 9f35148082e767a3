"""Description of `focus`."""

from typing import Any, Final

from analytics.api.focus_question import DIMENSIONS
from analytics.api.schema.parts import BINARY, ORGANIZATION, TEXT, Schema, choice, parameter, responses
from analytics.exports.focus.columns import VERSIONS
from analytics.exports.focus.question import EXCLUDE, FORMATS, INCLUDE
from analytics.exports.formats import FORMATS as EVERY

_DAY: Final[Schema] = TEXT | {"format": "date"}

FOCUS: Final[dict[str, Any]] = {
    "operation_id": "focus",
    "summary": "Costs by token class in the FinOps Open Cost and Usage Specification",
    "description": "Streamed. Rows of closed months are frozen. For who sees a team as a whole; others get 403.",
    "tags": ["exports"],
    "parameters": [
        ORGANIZATION,
        parameter("start_date", "First day of UTC, inclusive.", _DAY),
        parameter("end_date", "Last day of UTC, inclusive.", _DAY),
        parameter("focus_version", "Version of the specification.", choice(VERSIONS, VERSIONS[0])),
        parameter("dimensions", f"Comma list of {', '.join(DIMENSIONS)} and metadata.<key>: further groups."),
        parameter(
            "unpriced", "Whether usage without a price is in it, at a cost of 0.", choice((INCLUDE, EXCLUDE), INCLUDE)
        ),
        parameter("format", "How it is written.", choice(FORMATS, FORMATS[0])),
    ],
    "responses": responses({EVERY[name].content_type.partition(";")[0]: BINARY for name in FORMATS}, 400, 415, 422),
}
