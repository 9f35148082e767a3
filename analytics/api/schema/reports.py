"""Description of `report`."""

from typing import Any, Final

from analytics.api.report_question import FLAGS
from analytics.api.schema.parts import (
    FILTER,
    FLAG,
    INSTANT,
    MONEY,
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
    written,
)
from analytics.catalog.dimensions import DIMENSIONS
from analytics.catalog.measures import NATIVE, Kind, Population, Selection, Unit
from analytics.exports.formats import FORMATS, JSON
from analytics.exports.report import INTERVAL_WORDS
from analytics.query.values import Compare


def _value(selection: Selection) -> Schema:
    if selection.measure.unit is Unit.USD:
        return nullable(MONEY)
    return nullable(WHOLE if selection.measure.kind in (Kind.COUNT, Kind.ADDITIVE) else NUMBER)


_MEASURES: Final = {
    f"{name}{suffix}": _value(selection) for suffix in ("", "_previous") for name, selection in NATIVE.items()
}
_PART: Final = record(
    {
        "source": choice(SOURCES),
        "grain": nullable(TEXT),
        "facts": FLAG,
        "start": INSTANT,
        "end": INSTANT,
        "ranges": WHOLE,
        "rows_read": WHOLE,
        "elapsed_ms": NUMBER,
    }
)
_META: Final = record(
    {
        "timezone": TEXT,
        "interval": nullable(TEXT),
        "start": INSTANT,
        "end": INSTANT,
        "fresh_until": INSTANT,
        "priced_share": nullable(NUMBER),
        "unpriced_requests": WHOLE,
        "unpriced_tokens": WHOLE,
        "price_book_version": WHOLE,
        "row_count": WHOLE,
        "percentile_error": NUMBER,
        "last_verified": nullable(INSTANT),
        "previous": record({"start": INSTANT, "end": INSTANT}),
        "source": TEXT,
        "rows_read": WHOLE,
        "elapsed_ms": WHOLE,
        "stale_hours": WHOLE,
        "explain": record({"parts": array(_PART)}),
    },
    optional=("previous", "source", "rows_read", "elapsed_ms", "stale_hours", "explain"),
)
ANSWER: Final = record(
    {
        "rows": array(record(_MEASURES, optional=_MEASURES, more={"type": ["string", "null"]})),
        "totals": record(_MEASURES, optional=_MEASURES),
        "meta": _META,
    }
)
_GROUPS: Final = ", ".join(one.name for one in DIMENSIONS if one.groupable)
_DAY: Final[Schema] = {"type": "string", "format": "date"}
_COMPARISONS: Final = tuple(one.value for one in Compare)
_POPULATIONS: Final = tuple(one.value for one in Population)

REPORT: Final[dict[str, Any]] = {
    "operation_id": "report",
    "summary": "Flat rows for spreadsheets, scripts and warehouses",
    "description": "Streamed. The header `X-Portal-Manifest` says what the file is the answer to.",
    "tags": ["exports"],
    "parameters": [
        ORGANIZATION,
        parameter("start_date", "First day of the reporting zone, inclusive.", _DAY),
        parameter("end_date", "Last day, inclusive.", _DAY),
        parameter("start", "Instead of days: first instant, inclusive."),
        parameter("end", "Last instant, exclusive."),
        parameter("group_by", f"Comma list of {_GROUPS}, metadata.<key> and one of {', '.join(INTERVAL_WORDS)}."),
        FILTER,
        parameter("measures", f"Comma list of {', '.join(NATIVE)}; default all."),
        parameter("population", "Whose latency and time to first token.", choice(_POPULATIONS, "successful")),
        parameter("compare", "Adds `<measure>_previous`: the earlier period.", choice(_COMPARISONS, "none")),
        parameter("format", "A key needs the scope export for files.", choice(FORMATS, JSON)),
        parameter("explain", "Adds to meta how the answer was read.", choice(FLAGS, "false")),
    ],
    "responses": responses(
        written(ANSWER),
        400,
        415,
        422,
    ),
}
