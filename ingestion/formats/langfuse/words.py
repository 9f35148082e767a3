"""What Langfuse's batches and its spans have in common: kinds of calls, tokens, costs. Pure."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ingestion import usage
from ingestion.formats.mapping import is_payload
from ingestion.formats.values import decimal
from ingestion.records import Operation

OPERATIONS: Final = {"generation": Operation.CHAT, "embedding": Operation.EMBEDDINGS}
"""Types of observations that are calls to a model."""
# Langfuse keeps disjoint buckets: what follows is beside `input` and `output`, not a part of them.
_CACHE_READ: Final = ("cache_read_input_tokens", "input_cached_tokens", "input_cache_read")
_CACHE_WRITE: Final = (
    *("cache_creation_input_tokens", "input_cache_creation", "input_cache_write"),
    *("input_ephemeral_5m_input_tokens", "input_ephemeral_1h_input_tokens"),  # as LangChain names Anthropic's
)
_HOUR: Final = re.compile(r"(?:^|_)1h(?:_|$)")
_REASONING: Final = ("output_reasoning",)
# Of Gemini the SDK takes all modalities out of `input` and `output`, and the cached ones, which are among them, too.
_MODALITIES_IN: Final = ("input_modality_",)
_MODALITIES_OUT: Final = ("output_modality_",)
_MODALITIES_CACHED: Final = ("cached_modality_",)


def without_payloads(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata without what is named like a prompt or an answer: the SDK copies instructions of calls there."""
    return {key: value for key, value in metadata.items() if not is_payload(key) and key.lower() != "system"}


def counts(details: Mapping[str, Any]) -> usage.Counts:
    """Canonical counts of a usage object: of a provider's shape, or in Langfuse's disjoint buckets."""
    if "input" not in details and "output" not in details:
        known = any(recognises(details) for recognises, _ in usage.SHAPES)
        return usage.counts(details) if known else {}
    read, write, reasoning = (_sum(details, names) for names in (_CACHE_READ, _CACHE_WRITE, _REASONING))
    heard, seen = _kind(details, "input", "audio"), _kind(details, "input", "image")
    spoken, drawn = _kind(details, "output", "audio"), _kind(details, "output", "image")
    sent, made = _sum(details, _MODALITIES_IN), _sum(details, _MODALITIES_OUT)
    found = {
        "input_tokens": usage.total(_sum(details, ("input",), exact=True), read, write, heard, seen, sent),
        "output_tokens": usage.total(_sum(details, ("output",), exact=True), reasoning, spoken, drawn, made),
        "cache_read_tokens": usage.total(read, _sum(details, _MODALITIES_CACHED)),
        "cache_write_tokens": write,
        "cache_write_1h_tokens": _total(details, [key for key in _keys(details, _CACHE_WRITE) if _HOUR.search(key)]),
        "reasoning_tokens": reasoning,
        "audio_input_tokens": usage.total(heard, _uncached(details, "audio")),
        "audio_output_tokens": usage.total(spoken, _modality(details, _MODALITIES_OUT, "audio")),
        "image_input_tokens": usage.total(seen, _uncached(details, "image")),
        "image_output_tokens": usage.total(drawn, _modality(details, _MODALITIES_OUT, "image")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _kind(details: Mapping[str, Any], side: str, kind: str) -> int | None:
    """A bucket beside `input` or `output`: of OpenAI it ends in `_tokens`, of LangChain it does not."""
    return _sum(details, (f"{side}_{kind}", f"{side}_{kind}_tokens"), exact=True)


def _uncached(details: Mapping[str, Any], kind: str) -> int | None:
    sent, cached = (_modality(details, names, kind) for names in (_MODALITIES_IN, _MODALITIES_CACHED))
    return usage.uncached(sent, cached)


def _modality(details: Mapping[str, Any], prefix: tuple[str, ...], kind: str) -> int | None:
    """A modality, which is written in either case."""
    return _total(details, [key for key in _keys(details, prefix) if key.lower().endswith(f"_{kind}")])


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
