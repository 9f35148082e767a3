"""The OpenTelemetry GenAI conventions, current and deprecated names; also OpenLLMetry (traceloop) and openlit.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from typing import Final

from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, set_metadata, start
from ingestion.formats.otlp.span import Span, count, first, flag, number, text, under
from ingestion.formats.values import decimal
from ingestion.records import RequestRecord
from ingestion.usage import uncached

# Every name under which a fact is on the wire, the newest first; docs/ingest.md lists them.
MODEL: Final = ("gen_ai.response.model", "gen_ai.request.model")
PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system")
STREAMING: Final = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming")
TIER: Final = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
COUNTS: Final = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.output_tokens.reasoning",
    ),
    "audio_input_tokens": ("gen_ai.usage.audio.input_tokens",),
    "audio_output_tokens": ("gen_ai.usage.audio.output_tokens",),
    "image_input_tokens": ("gen_ai.usage.image.input_tokens",),
    "image_output_tokens": ("gen_ai.usage.image.output_tokens",),
}
# Of a kind of input, what was read from the cache.
_CACHED: Final = {
    "audio_input_tokens": "gen_ai.usage.audio.cache_read.input_tokens",
    "image_input_tokens": "gen_ai.usage.image.cache_read.input_tokens",
}
_CALLS: Final = frozenset({"chat", "generate_content", "text_completion", "embeddings"})
# HTTP spans of clients and web frameworks may repeat what the call around them says.
_HTTP: Final = ("http.request.method", "http.method", "http.route")


def operation(span: Span) -> str | None:
    """The operation's name; OpenLLMetry's older spans say it in other words."""
    return text(span.attributes, "gen_ai.operation.name", "llm.request.type")


def _counts(span: Span) -> bool:
    called = operation(span) in _CALLS | {"completion", "embedding"}
    return called and first(span.attributes, *MODEL) is not None and first(span.attributes, *_HTTP) is None


def models(span: Span) -> frozenset[str]:
    """The models that a span names."""
    return frozenset(name for attribute in MODEL if (name := text(span.attributes, attribute)))


def record_of(span: Span, ancestors: Ancestors) -> RequestRecord:
    """The record of a span in these words; other dialects begin with it."""
    attributes, record = span.attributes, start(span, ancestors)
    record.model, record.provider = text(attributes, *MODEL), text(attributes, *PROVIDER)
    record.virtual_model = text(attributes, "gen_ai.original.model")
    record.operation = operation(span) or record.operation
    record.streaming = flag(attributes, *STREAMING)
    record.service_tier = text(attributes, *TIER)
    record.reported_cost_usd = decimal(first(attributes, "gen_ai.usage.cost"))
    for field, names in COUNTS.items():
        setattr(record, field, count(attributes, *names))
    for field, name in _CACHED.items():
        setattr(record, field, uncached(getattr(record, field), count(attributes, name)))
    first_chunk = number(attributes, "gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
    record.ttft_ms = None if first_chunk is None else first_chunk * 1000
    set_metadata(record, span, under(attributes, "traceloop.association.properties."))
    return record


GENAI: Final = Dialect("genai", lambda span: True, _counts, models, record_of)
