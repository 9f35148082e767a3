"""OpenInference (Arize Phoenix and its instrumentations).

https://arize-ai.github.io/openinference/spec/semantic_conventions.html
"""

from typing import Final

from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, set_metadata, start
from ingestion.formats.otlp.span import Span, count, first, parsed, text
from ingestion.formats.values import decimal, mapping_of, text_of
from ingestion.records import Operation, RequestRecord

_KIND: Final = "openinference.span.kind"
_OPERATIONS: Final = {"LLM": Operation.CHAT, "EMBEDDING": Operation.EMBEDDINGS, "RERANKER": Operation.RERANK}
_MODEL: Final = ("llm.response.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name")
_COUNTS: Final = {
    "input_tokens": "llm.token_count.prompt",
    "output_tokens": "llm.token_count.completion",
    "cache_read_tokens": "llm.token_count.prompt_details.cache_read",
    "cache_write_tokens": "llm.token_count.prompt_details.cache_write",
    "reasoning_tokens": "llm.token_count.completion_details.reasoning",
    "audio_input_tokens": "llm.token_count.prompt_details.audio",
    "audio_output_tokens": "llm.token_count.completion_details.audio",
}
_FIRST_CHUNK: Final = "First Token Stream Event"


def _kind(span: Span) -> str:
    return (text(span.attributes, _KIND) or "").upper()


def _model(span: Span) -> str | None:
    asked = parsed(first(span.attributes, "llm.invocation_parameters", "embedding.invocation_parameters"))
    return text(span.attributes, *_MODEL) or text_of(mapping_of(asked).get("model"))


def _models(span: Span) -> frozenset[str]:
    names = (_model(span), text(span.attributes, "llm.model_name"), text(span.attributes, "llm.request.model_name"))
    return frozenset(name for name in names if name)


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, start(span, ancestors)
    record.operation = _OPERATIONS[_kind(span)].value
    record.model, record.provider = _model(span), text(attributes, "llm.provider", "llm.system")
    record.virtual_model = text(attributes, "llm.request.model_name")
    for field, name in _COUNTS.items():
        setattr(record, field, count(attributes, name))
    token = next((event for event in span.events if event.name == _FIRST_CHUNK), None)
    if token is not None:
        record.streaming, record.ttft_ms = True, (token.time_ns - span.start_ns) / 1e6
    record.reported_cost_usd = decimal(first(attributes, "llm.cost.total"))
    set_metadata(
        record, span, {**mapping_of(parsed(attributes.get("metadata"))), "tag.tags": attributes.get("tag.tags")}
    )
    return record


OPENINFERENCE: Final = Dialect(
    "openinference", lambda span: _KIND in span.attributes, lambda span: _kind(span) in _OPERATIONS, _models, _record
)
