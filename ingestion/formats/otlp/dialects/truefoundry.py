"""The spans of the TrueFoundry gateway.

https://www.truefoundry.com/docs/ai-gateway/fetch-request-logs-span-attributes
"""

from collections.abc import Mapping
from typing import Any, Final

from ingestion.formats.errors import STATUS_OF_CLASS
from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, set_metadata, set_outcome, start
from ingestion.formats.otlp.span import Span, count, first, flag, number, parsed, text, under
from ingestion.formats.values import decimal, mapping_of, text_of
from ingestion.records import Operation, RequestRecord

_TYPE: Final = "tfy.span_type"
_METRIC: Final = "tfy.model.metric."
_REQUEST: Final = "tfy.request."
_OPERATIONS: Final = {
    "embedding": Operation.EMBEDDINGS,
    "rerank": Operation.RERANK,
    "completion": Operation.TEXT_COMPLETION,
}


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, start(span, ancestors)
    metrics, asked = under(attributes, _METRIC), _asked(span, ancestors)
    record.model = text(attributes, "tfy.model.name")
    record.provider = (text(attributes, "tfy.model.fqn") or "").partition("/")[0] or None
    # The root says what the caller asked for: a virtual model when another one served.
    record.virtual_model = text(asked, "model_name")
    record.operation = _OPERATIONS.get((text(attributes, "tfy.model.request_type") or "").lower(), Operation.CHAT).value
    record.streaming = flag(attributes, "tfy.model.streaming")
    record.input_tokens, record.output_tokens = count(metrics, "input_tokens"), count(metrics, "output_tokens")
    record.cache_read_tokens = count(metrics, "cache_read_input_tokens")
    record.cache_write_tokens = count(metrics, "cache_creation_input_tokens")
    latency = number(metrics, "latency_in_ms")
    record.latency_ms = record.latency_ms if latency is None else latency
    record.ttft_ms = number(metrics, "time_to_first_token_in_ms")
    record.itl_ms = number(metrics, "inter_token_latency_in_ms")
    record.reported_cost_usd = decimal(first(attributes, _METRIC + "cost_in_usd", "tfy.request_cost"))
    _set_caller(record, asked)
    _set_error(record, span)
    teams = _teams(asked)
    set_metadata(record, span, {**_metadata(asked), **({"teams": teams} if len(teams) > 1 else {})})
    return record


def _asked(span: Span, ancestors: Ancestors) -> Mapping[str, Any]:
    """What is known of the caller's request; the outermost span knows it best."""
    known: dict[str, Any] = {}
    for one in (span, *ancestors):
        known |= under(one.attributes, _REQUEST)
    return known


def _set_caller(record: RequestRecord, asked: Mapping[str, Any]) -> None:
    value = asked.get("created_by_subject")
    about = mapping_of(parsed(value)) or under(asked, "created_by_subject.")
    name = text(about, "subjectSlug", "subject_slug", "slug", "subjectDisplayName", "subjectId", "name")
    kind = text(about, "subjectType", "subject_type", "type") or ""
    if not about:
        kind, _, name = (text_of(value) or "").rpartition(":")
    if kind.lower().replace("-", "").replace("_", "") in ("virtualaccount", "serviceaccount"):
        record.virtual_account = name
    else:
        record.user = name or record.user
    teams = _teams(asked)
    record.team = teams[0] if teams else record.team


def _teams(asked: Mapping[str, Any]) -> list[str]:
    value = parsed(asked.get("created_by_subject_teams"))
    names = value if isinstance(value, list) else str(value or "").split(",")
    return [name for one in names if (name := (text_of(one) or "").strip())]


def _metadata(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {**mapping_of(parsed(asked.get("metadata"))), **under(asked, "metadata.")}


def _set_error(record: RequestRecord, span: Span) -> None:
    kind, message = text(span.attributes, "tfy.error_type"), text(span.attributes, "tfy.error_message")
    if kind or message:
        span.is_error, span.message = True, message or span.message
        set_outcome(record, span)
        record.error_type, record.error_message = kind or record.error_type, message or record.error_message
        record.status_code = record.status_code or STATUS_OF_CLASS.get(kind or "")


TRUEFOUNDRY: Final = Dialect(
    "truefoundry",
    lambda span: any(name.startswith("tfy.") for name in span.attributes),
    lambda span: text(span.attributes, _TYPE) in ("Model", "LLM"),
    lambda span: frozenset(filter(None, [text(span.attributes, "tfy.model.name")])),
    _record,
    is_gateway=True,
    shows_tries=True,
)
