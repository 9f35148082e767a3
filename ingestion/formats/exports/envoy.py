"""The access log of Envoy AI Gateway as NDJSON: one line per HTTP request, `-` for no value, times in milliseconds.

https://aigateway.envoyproxy.io/docs/capabilities/observability/accesslogs
"""

import re
from typing import Final

from ingestion.formats.base import Format
from ingestion.formats.exports.base import Export, json_format, operation_of
from ingestion.formats.exports.row import Row
from ingestion.formats.otlp.dialects import genai
from ingestion.records import Code, Operation, RejectedError, RequestRecord

# The names of the project's own configurations, the newest first. The log may have any fields; who calls is in headers,
# for which these names of ours are read.
_ASKED: Final = ("gen_ai.request.model", "genai_model_name")
_SENT: Final = ("gen_ai.request.model_override", "genai_model_name_override")
_COUNTS: Final = {
    **genai.COUNTS,
    "input_tokens": (*genai.COUNTS["input_tokens"], "genai_tokens_input"),
    "output_tokens": (*genai.COUNTS["output_tokens"], "genai_tokens_output"),
}
_READS: Final = frozenset(
    {
        *("start_time", "x-request-id", "gen_ai.response.model", *_ASKED, *_SENT),
        *("user", "user_email", "team", "virtual_account", "duration", "traceparent", "x-envoy-origin-path", "path"),
        *("response_code", "response_flags", "response_code_details"),
        *("upstream_transport_failure_reason", "connection_termination_details"),
        *(name for names in _COUNTS.values() for name in names),
    }
)
_DROPS: Final = frozenset(
    {
        *("x-forwarded-for", "user-agent", "authorization", "cookie", "downstream_remote_address"),
        *("downstream_local_address", "upstream_local_address"),
    }
)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_TYPE_LENGTH: Final = 128


def _record(row: Row) -> RequestRecord | None:
    started_at = row.instant("start_time")
    if started_at is None:
        raise RejectedError(Code.MISSING, "start_time", "start_time is missing.")
    asked, path = row.text(*_ASKED), row.text("x-envoy-origin-path", "path")
    model, operation = row.text("gen_ai.response.model", *_SENT, *_ASKED), operation_of(path)
    if model is None and operation is None:
        return None  # tools (MCP), health checks, pages
    record = RequestRecord(
        request_id=row.identity("x-request-id"),
        started_at=started_at,
        model=model,
        virtual_model=asked,
        user=row.text("user"),
        user_email=row.text("user_email"),
        team=row.text("team"),
        virtual_account=row.text("virtual_account"),
        latency_ms=row.number("duration"),
        operation=operation or (Operation.OTHER if path else Operation.CHAT).value,
    )
    for field, names in _COUNTS.items():
        setattr(record, field, row.whole(*names))
    trace = _TRACEPARENT.fullmatch(row.text("traceparent") or "")
    if trace:
        record.trace_id, record.span_id = trace.groups()
    _set_outcome(record, row)
    return record


def _set_outcome(record: RequestRecord, row: Row) -> None:
    """Code 0 means that the caller got no answer: no status, but a failure."""
    code = row.whole("response_code")
    record.status_code = code or None
    if code is not None and (code == 0 or code >= 400):
        kind = row.text("response_flags", "response_code_details")
        record.error_type = (kind or (f"http_{code}" if code else "error"))[:_TYPE_LENGTH]
        record.error_message = row.text("upstream_transport_failure_reason", "connection_termination_details")


ENVOY: Final[Format] = json_format(
    Export(
        "envoy",
        "an access log of Envoy AI Gateway",
        (("start_time", "response_code"), *(("start_time", name) for name in _ASKED)),
        _READS,
        _record,
        _DROPS,
        absent=frozenset({"", "-"}),
    )
)
