"""The OpenTelemetry spans of Langfuse's SDKs: values are JSON inside text.

https://langfuse.com/integrations/native/opentelemetry
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ingestion import usage
from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, said, set_metadata, set_outcome, start
from ingestion.formats.otlp.span import Span, decimal, parsed, text, under
from ingestion.formats.values import mapping_of
from ingestion.records import Operation, RequestRecord

_PREFIX: Final = "langfuse.observation."
_OPERATIONS: Final = {"generation": Operation.CHAT, "embedding": Operation.EMBEDDINGS}
# Langfuse keeps disjoint buckets: what follows is beside `input` and `output`, not a part of them.
_CACHE_READ: Final = ("cache_read_input_tokens", "input_cached_tokens", "input_cache_read")
_CACHE_WRITE: Final = (
    *("cache_creation_input_tokens", "input_cache_creation", "input_cache_write"),
    *("input_ephemeral_5m_input_tokens", "input_ephemeral_1h_input_tokens"),  # as LangChain names Anthropic's
)
_HOUR: Final = re.compile(r"(?:^|_)1h(?:_|$)")
_REASONING: Final = ("output_reasoning_tokens",)
_AUDIO_IN: Final = ("input_audio_tokens",)
_AUDIO_OUT: Final = ("output_audio_tokens",)


def _type(span: Span) -> str:
    return (text(span.attributes, _PREFIX + "type") or "").lower()


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, start(span, ancestors)
    record.operation = _OPERATIONS[_type(span)].value
    record.model = text(attributes, _PREFIX + "model.name", "gen_ai.response.model", "gen_ai.request.model")
    record.provider = text(attributes, "gen_ai.provider.name", "gen_ai.system")
    record.user = said(span, ancestors, "user.id", "langfuse.user.id", "langfuse.trace.user_id") or record.user
    for field, value in counts(mapping_of(parsed(attributes.get(_PREFIX + "usage_details")))).items():
        setattr(record, field, value)
    record.reported_cost_usd = cost(mapping_of(parsed(attributes.get(_PREFIX + "cost_details"))))
    _set_first_token(record, parsed(attributes.get(_PREFIX + "completion_start_time")))
    if (text(attributes, _PREFIX + "level") or "").upper() == "ERROR":
        span.is_error, span.message = True, text(attributes, _PREFIX + "status_message") or span.message
        set_outcome(record, span)
    set_metadata(record, span, _metadata((span, *ancestors)))
    return record


def counts(details: Mapping[str, Any]) -> usage.Counts:
    """Canonical counts of a usage object: of a provider's shape, or in Langfuse's disjoint buckets."""
    if "input" not in details and "output" not in details:
        known = any(recognises(details) for recognises, _ in usage.SHAPES)
        return usage.counts(details) if known else {}
    read, write = _sum(details, _CACHE_READ), _sum(details, _CACHE_WRITE)
    reasoning, heard, spoken = _sum(details, _REASONING), _sum(details, _AUDIO_IN), _sum(details, _AUDIO_OUT)
    found = {
        "input_tokens": usage.total(_sum(details, ("input",), exact=True), read, write, heard),
        "output_tokens": usage.total(_sum(details, ("output",), exact=True), reasoning, spoken),
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": _total(details, [key for key in _keys(details, _CACHE_WRITE) if _HOUR.search(key)]),
        "reasoning_tokens": reasoning,
        "audio_input_tokens": heard,
        "audio_output_tokens": spoken,
    }
    return {name: value for name, value in found.items() if value is not None}


def _sum(details: Mapping[str, Any], names: tuple[str, ...], *, exact: bool = False) -> int | None:
    """All buckets of those names or, unless exact, that begin with them: input_cache_creation_5m."""
    return _total(details, [key for key in details if key in names] if exact else _keys(details, names))


def _keys(details: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [key for key in details if key.startswith(names)]


def _total(details: Mapping[str, Any], keys: Iterable[str]) -> int | None:
    return usage.total(*(usage.first(details, (key,)) for key in keys))


def cost(details: Mapping[str, Any]) -> Decimal | None:
    """The total, else the sum of the parts."""
    if "total" in details:
        return decimal(details["total"])
    parts = [part for value in details.values() if (part := decimal(value)) is not None]
    return sum(parts, Decimal(0)) if parts else None


def _set_first_token(record: RequestRecord, value: object) -> None:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            record.ttft_ms = (moment - record.started_at).total_seconds() * 1000
            record.streaming = True
        except (ValueError, TypeError):  # no time, or one without offset
            return


def _metadata(spans: Ancestors) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for span in reversed(spans):
        about = under(span.attributes, "langfuse.trace.metadata.") | under(span.attributes, _PREFIX + "metadata.")
        values |= {key: parsed(value) for key, value in about.items()}
        tags = span.attributes.get("langfuse.trace.tags")
        values |= {"tags": parsed(tags)} if tags else {}
    return values


LANGFUSE: Final = Dialect(
    "langfuse",
    lambda span: any(name.startswith(_PREFIX) for name in span.attributes),
    lambda span: _type(span) in _OPERATIONS,
    lambda span: frozenset(filter(None, [text(span.attributes, _PREFIX + "model.name", "gen_ai.request.model")])),
    _record,
)
