"""Description of the ingest endpoints, which are plain views: added to the paths that the framework finds."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from analytics.api.schema.parts import PROBLEM, TEXT, WHOLE, Schema, array, choice, record
from ingestion.records import Code, Operation, RequestRecord
from metricsportal.lib.problems import CONTENT_TYPE, KINDS

_JSON: Final = "application/json"
_REFUSALS: Final = (400, 401, 403, 405, 413, 415, 422, 500, 503)
_OUTCOME: Final = record(
    {
        "accepted": WHOLE | {"description": "Stored and committed."},
        "duplicate": WHOLE | {"description": "Already stored with the same content."},
        "conflict": WHOLE | {"description": "Already stored with other content; the first one is kept."},
        "rejected": array(record({"index": WHOLE, "code": choice(Code), "field": TEXT, "message": TEXT})),
        "capped": WHOLE | {"description": "New names beyond the hourly cap, stored as (other)."},
    },
    optional=("capped",),
)


_TRACES: Final = ("Store OpenTelemetry traces", "ExportTraceServiceRequest", "rejectedSpans")
_OTLP: Final = {
    "/v1/traces": ("ingest_otlp", *_TRACES),
    "/api/public/otel/v1/traces": ("ingest_langfuse_otlp", *_TRACES),
    "/v1/metrics": ("decline_metrics", "Metrics are declined", "ExportMetricsServiceRequest", "rejectedDataPoints"),
    "/v1/logs": ("decline_logs", "Logs are declined", "ExportLogsServiceRequest", "rejectedLogRecords"),
}


def _record() -> Schema:
    """The portal's own record, from its definition in code."""
    made = msgspec.json.schema(RequestRecord)["$defs"][RequestRecord.__name__]
    properties = made["properties"] | {"operation": choice(Operation, Operation.CHAT.value)}
    return {
        "type": "object",
        "properties": {
            name: {key: part for key, part in one.items() if key != "default"} for name, one in properties.items()
        },
        "required": made["required"],
    }


def _operation(name: str, summary: str, body: Mapping[str, Schema]) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {"description": "What became of each record.", "content": {_JSON: {"schema": _OUTCOME}}}
    }
    for status in _REFUSALS:
        answers[str(status)] = {"description": KINDS[status][1], "content": {CONTENT_TYPE: {"schema": PROBLEM}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": "A 2xx means that every accepted record is committed. Bodies may be gzip-encoded.",
        "tags": ["ingest"],
        "security": [{"apiKey": []}],
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in body.items()}},
        "responses": answers,
    }


def _otlp(name: str, summary: str, message: str, counted: str) -> dict[str, Any]:
    """Bodies and answers of OTLP/HTTP, as OpenTelemetry has them; `counted`: name of the number of declined ones."""
    trace = {"type": "object", "description": f"An {message} of OTLP 1.x."}
    bytes_ = {"type": "string", "format": "binary"}
    body = {"application/x-protobuf": bytes_, _JSON: trace}
    partial = record({counted: TEXT, "errorMessage": TEXT})
    stored = record({"partialSuccess": partial}, optional=("partialSuccess",))
    status = record({"message": TEXT})
    operation = _operation(name, summary, body)
    for code, answer in operation["responses"].items():
        answer["content"] = {
            _JSON: {"schema": stored if code == "200" else status},
            "application/x-protobuf": {"schema": bytes_},
        }
    return operation


def _langfuse() -> dict[str, Any]:
    """Batches of Langfuse's ingestion, answered event by event."""
    event = record({"id": TEXT, "type": TEXT, "timestamp": TEXT | {"format": "date-time"}, "body": {"type": "object"}})
    batch = {"type": "object", "properties": {"batch": array(event)}, "required": ["batch"]}
    operation = _operation("ingest_langfuse", "Store a batch of Langfuse's SDK", {_JSON: batch})
    del operation["responses"]["200"], operation["responses"]["422"]
    success = {"id": TEXT, "status": WHOLE}
    parts = {"successes": array(record(success)), "errors": array(record({**success, "message": TEXT}))}
    described = {"description": "What became of each event.", "content": {_JSON: {"schema": record(parts)}}}
    operation["responses"] = {"207": described, **operation["responses"]}
    return operation


def add_ingest(result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    one = _record()
    native = {_JSON: {"oneOf": [one, array(one)]}, "application/x-ndjson": TEXT}
    result["paths"].setdefault("/api/v1/requests", {})["post"] = _operation("ingest_requests", "Store requests", native)
    call = {"type": "object", "description": "One StandardLoggingPayload of LiteLLM's generic API callback."}
    litellm = _operation("ingest_litellm", "Store LiteLLM callbacks", {_JSON: {"oneOf": [call, array(call)]}})
    result["paths"]["/api/v1/ingest/litellm"] = {"post": litellm}
    line = {"type": "object", "description": "One line of Envoy AI Gateway's access log in JSON."}
    envoy = {_JSON: {"oneOf": [line, array(line)]}, "application/x-ndjson": TEXT}
    log = _operation("ingest_envoy", "Store lines of Envoy AI Gateway's access log", envoy)
    result["paths"]["/api/v1/ingest/envoy"] = {"post": log}
    for path, (name, *words) in _OTLP.items():
        result["paths"][path] = {"post": _otlp(name, *words)}
    result["paths"]["/api/public/ingestion"] = {"post": _langfuse()}
    return result
