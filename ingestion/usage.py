"""Usage objects of the providers into canonical token counts. Pure.

Canonical counts are inclusive: cached tokens are part of the input, reasoning tokens part of the output. OpenAI and
Gemini count so themselves; Anthropic and Bedrock Converse report cached tokens beside the input.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingestion.records import Code, RejectedError

Counts = dict[str, int]
Path = tuple[str, ...]


def counts(usage: Mapping[str, Any]) -> Counts:
    """Counts of a usage object, told by its keys; what it does not say is absent. Raises RejectedError."""
    reader = next((reader for recognises, reader in SHAPES if recognises(usage)), None)
    if reader is None:
        message = "usage has none of the known shapes: OpenAI, Anthropic, Gemini, Bedrock."
        raise RejectedError(Code.INVALID, "usage", message)
    return reader(usage)


def first(source: Mapping[str, Any], *paths: Path) -> int | None:
    """The first count that is present under one of the paths. Raises RejectedError for what is not a count."""
    for path in paths:
        value: Any = source
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            return _count(value, ".".join(path))
    return None


def _count(value: object, name: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RejectedError(Code.INVALID, "usage", f"{name} must be a whole number.")
    if value < 0:
        raise RejectedError(Code.NEGATIVE, "usage", f"{name} must not be negative.")
    return value


def _known(**values: int | None) -> Counts:
    return {name: value for name, value in values.items() if value is not None}


def total(*values: int | None) -> int | None:
    """Sum of the known values; None when none is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _openai_chat(usage: Mapping[str, Any]) -> Counts:
    return _openai(usage, "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")


def _openai_responses(usage: Mapping[str, Any]) -> Counts:
    inputs = "input_token_details" if "input_token_details" in usage else "input_tokens_details"
    outputs = "output_token_details" if "output_token_details" in usage else "output_tokens_details"
    return _openai(usage, "input_tokens", "output_tokens", inputs, outputs)


def _openai(usage: Mapping[str, Any], whole_in: str, whole_out: str, parts_in: str, parts_out: str) -> Counts:
    return _known(
        input_tokens=first(usage, (whole_in,)),
        output_tokens=first(usage, (whole_out,)),
        cache_read_tokens=first(usage, (parts_in, "cached_tokens")),
        cache_write_tokens=first(usage, (parts_in, "cache_write_tokens")),
        reasoning_tokens=first(usage, (parts_out, "reasoning_tokens")),
        audio_input_tokens=first(usage, (parts_in, "audio_tokens")),
        audio_output_tokens=first(usage, (parts_out, "audio_tokens")),
    )


def _anthropic(usage: Mapping[str, Any]) -> Counts:
    read = first(usage, ("cache_read_input_tokens",))
    write = first(usage, ("cache_creation_input_tokens",))
    return _known(
        input_tokens=total(first(usage, ("input_tokens",)), read, write),
        output_tokens=first(usage, ("output_tokens",)),
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=first(usage, ("cache_creation", "ephemeral_1h_input_tokens")),
        reasoning_tokens=first(usage, ("output_tokens_details", "thinking_tokens")),
    )


def _gemini(usage: Mapping[str, Any]) -> Counts:
    thoughts = first(usage, ("thoughtsTokenCount",))
    return _known(
        input_tokens=total(first(usage, ("promptTokenCount",)), first(usage, ("toolUsePromptTokenCount",))),
        output_tokens=total(first(usage, ("candidatesTokenCount",)), thoughts),
        cache_read_tokens=first(usage, ("cachedContentTokenCount",)),
        reasoning_tokens=thoughts,
        audio_input_tokens=_audio(usage, "promptTokensDetails"),
        audio_output_tokens=_audio(usage, "candidatesTokensDetails"),
    )


def _audio(usage: Mapping[str, Any], details: str) -> int | None:
    parts = usage.get(details)
    heard = [part for part in parts if isinstance(part, dict) and part.get("modality") == "AUDIO"] if parts else []
    return first(heard[0], ("tokenCount",)) if heard else None


def _bedrock(usage: Mapping[str, Any]) -> Counts:
    read, write = first(usage, ("cacheReadInputTokens",)), first(usage, ("cacheWriteInputTokens",))
    return _known(
        input_tokens=total(first(usage, ("inputTokens",)), read, write),
        output_tokens=first(usage, ("outputTokens",)),
        cache_read_tokens=read,
        cache_write_tokens=write,
    )


def _has(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda usage: any(key in usage for key in keys)


SHAPES: Final[tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], Counts]], ...]] = (
    (_has("prompt_tokens", "completion_tokens"), _openai_chat),
    (_has("cache_read_input_tokens", "cache_creation_input_tokens"), _anthropic),
    (_has("promptTokenCount"), _gemini),
    (_has("inputTokens"), _bedrock),
    # {input_tokens, output_tokens} alone is the same in every reading.
    (_has("input_tokens", "output_tokens"), _openai_responses),
)
