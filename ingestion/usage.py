"""Usage objects of the providers into canonical token counts. Pure.

Canonical counts are inclusive: cached tokens are part of the input, reasoning tokens part of the output. OpenAI and
Gemini count so themselves; Anthropic and Bedrock Converse report cached tokens beside the input.

A token that was read from the cache is billed as that, whatever it stands for. Where a source tells how many of the
cached tokens are audio or images, they are no longer counted as audio or images, or they would be billed twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingestion.records import Code, RejectedError

Counts = dict[str, int]
Path = tuple[str, ...]
# OpenAI's names for the parts of a whole: chat, responses and images, realtime.
_PARTS_IN: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_PARTS_OUT: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def counts(usage: Mapping[str, Any]) -> Counts:
    """Counts of a usage object, told by its keys; what it does not say is absent. Raises RejectedError."""
    reader = next((reader for recognises, reader in SHAPES if recognises(usage)), None)
    if reader is None:
        message = "usage has none of the known shapes: OpenAI, Anthropic, Gemini, Bedrock."
        raise RejectedError(Code.INVALID, "usage", message)
    return reader(usage)


def units(usage: Mapping[str, Any]) -> Counts:
    """What a usage object of any shape counts by the piece: Anthropic's web searches. Raises RejectedError.

    Its web fetches are not billed. platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
    """
    searches = first(usage, ("server_tool_use", "web_search_requests"))
    return {"web_search": searches} if searches else {}


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


def uncached(part: int | None, cached: int | None) -> int | None:
    """A kind of input without those of its tokens that were read from the cache; as it is where that is impossible."""
    return part if part is None or cached is None or cached > part else part - cached


def parts(usage: Mapping[str, Any]) -> Counts:
    """Counts of the parts of input and output in the words of OpenAI, and of LiteLLM, which adds to them."""
    into, out = _first_object(usage, _PARTS_IN), _first_object(usage, _PARTS_OUT)
    cached = "cached_tokens_details"
    audio, cached_audio = first(into, ("audio_tokens",)), first(into, (cached, "audio_tokens"))
    image, cached_image = first(into, ("image_tokens",)), first(into, (cached, "image_tokens"))
    return _known(
        cache_read_tokens=first(into, ("cached_tokens",)),
        cache_write_tokens=first(into, ("cache_write_tokens",)),
        cache_write_1h_tokens=first(into, ("cache_creation_token_details", "ephemeral_1h_input_tokens")),
        reasoning_tokens=first(out, ("reasoning_tokens",), ("thinking_tokens",)),
        audio_input_tokens=uncached(audio, cached_audio),
        audio_output_tokens=first(out, ("audio_tokens",)),
        image_input_tokens=uncached(image, cached_image),
        image_output_tokens=first(usage, ("output_tokens",)) if _draws(usage) else first(out, ("image_tokens",)),
    )


def _draws(usage: Mapping[str, Any]) -> bool:
    """The images API without details of its output: `output_tokens` is "the number of image tokens in the output"."""
    details = usage.get("input_tokens_details")
    return isinstance(details, Mapping) and "image_tokens" in details and not _first_object(usage, _PARTS_OUT)


def _first_object(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    return next((found for name in names if isinstance(found := usage.get(name), Mapping)), {})


def _openai_chat(usage: Mapping[str, Any]) -> Counts:
    return _openai(usage, "prompt_tokens", "completion_tokens")


def _openai_responses(usage: Mapping[str, Any]) -> Counts:
    return _openai(usage, "input_tokens", "output_tokens")


def _openai(usage: Mapping[str, Any], whole_in: str, whole_out: str) -> Counts:
    wholes = _known(input_tokens=first(usage, (whole_in,)), output_tokens=first(usage, (whole_out,)))
    return wholes | parts(usage)


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
    sent, cached = ("promptTokensDetails", "toolUsePromptTokensDetails"), ("cacheTokensDetails",)
    return _known(
        input_tokens=total(first(usage, ("promptTokenCount",)), first(usage, ("toolUsePromptTokenCount",))),
        output_tokens=total(first(usage, ("candidatesTokenCount",)), thoughts),
        cache_read_tokens=first(usage, ("cachedContentTokenCount",)),
        reasoning_tokens=thoughts,
        audio_input_tokens=uncached(_of_kind(usage, "AUDIO", sent), _of_kind(usage, "AUDIO", cached)),
        audio_output_tokens=_of_kind(usage, "AUDIO", ("candidatesTokensDetails",)),
        image_input_tokens=uncached(_of_kind(usage, "IMAGE", sent), _of_kind(usage, "IMAGE", cached)),
        image_output_tokens=_of_kind(usage, "IMAGE", ("candidatesTokensDetails",)),
    )


def _of_kind(usage: Mapping[str, Any], modality: str, lists: tuple[str, ...]) -> int | None:
    """All tokens of a modality: a list may name it more than once."""
    details = [part for name in lists if isinstance(found := usage.get(name), list) for part in found]
    mine = (part for part in details if isinstance(part, Mapping) and part.get("modality") == modality)
    return total(*(first(part, ("tokenCount",)) for part in mine))


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
