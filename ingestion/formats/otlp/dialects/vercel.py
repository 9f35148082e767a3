"""The Vercel AI SDK, https://ai-sdk.dev/docs/ai-sdk-core/telemetry."""

from typing import Final

from ingestion.formats.otlp.dialects import genai
from ingestion.formats.otlp.dialects.base import Ancestors, Dialect, said, set_metadata
from ingestion.formats.otlp.span import Span, count, number, text, under
from ingestion.records import Operation, RequestRecord

_OPERATION: Final = "ai.operationId"
# The outer span of a call (ai.generateText, ai.embed ...) repeats the tokens of these.
_INNER: Final = (".doGenerate", ".doStream", ".doEmbed")
_MODEL: Final = ("ai.response.model", "gen_ai.response.model", "ai.model.id", "gen_ai.request.model")
_COUNTS: Final = {
    "input_tokens": ("ai.usage.inputTokens", "gen_ai.usage.input_tokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    "output_tokens": ("ai.usage.outputTokens", "gen_ai.usage.output_tokens", "ai.usage.completionTokens"),
    "cache_read_tokens": ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
    "cache_write_tokens": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
    "reasoning_tokens": ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
}


def _counts(span: Span) -> bool:
    return (text(span.attributes, _OPERATION) or "").endswith(_INNER)


def _models(span: Span) -> frozenset[str]:
    return frozenset(name for one in _MODEL if (name := text(span.attributes, one)))


def _record(span: Span, ancestors: Ancestors) -> RequestRecord:
    attributes, record = span.attributes, genai.record_of(span, ancestors)
    called = text(attributes, _OPERATION) or ""
    record.operation = (Operation.EMBEDDINGS if called.endswith(".doEmbed") else Operation.CHAT).value
    record.model = text(attributes, *_MODEL)
    record.provider = (text(attributes, "ai.model.provider") or "").partition(".")[0] or record.provider
    record.streaming = called.endswith(".doStream")
    for field, names in _COUNTS.items():
        setattr(record, field, count(attributes, *names))
    record.ttft_ms = number(attributes, "ai.response.msToFirstChunk")
    record.user = said(span, ancestors, "ai.telemetry.metadata.userId") or record.user
    record.team = said(span, ancestors, "ai.telemetry.metadata.team") or record.team
    about = under(attributes, "ai.telemetry.metadata.")
    set_metadata(record, span, about | {"ai.telemetry.functionId": text(attributes, "ai.telemetry.functionId")})
    return record


VERCEL: Final = Dialect("vercel", lambda span: _OPERATION in span.attributes, _counts, _models, _record)
