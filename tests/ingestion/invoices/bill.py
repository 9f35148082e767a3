"""An example bill, and usage objects as providers send them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Bill:
    """What was used, the list, the lines (tokens, USD per million) and their sum in USD; `fee` per request in USD.

    `units`: what is billed by the piece: name, count, USD for one.
    """

    name: str
    usage: dict[str, object]
    prices: Mapping[str, str]
    lines: tuple[tuple[int, str], ...]
    total: str
    fee: str = "0"
    fields: dict[str, Any] = field(default_factory=dict)
    tiers: tuple[tuple[str, int, Mapping[str, str]], ...] = ()
    """Further lists: service tier, context limit, prices."""
    units: tuple[tuple[str, int, str], ...] = ()


def chat(prompt: int, completion: int, *, cached: int = 0, reasoning: int = 0, **more: object) -> dict[str, object]:
    """`usage` of OpenAI's chat completions."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": more.get("audio_in", 0)},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": more.get("audio_out", 0)},
    }


def responses(inputs: int, outputs: int, *, cached: int = 0, reasoning: int = 0) -> dict[str, object]:
    """`usage` of OpenAI's responses."""
    return {
        "input_tokens": inputs,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": outputs,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": inputs + outputs,
    }


def images(text: int, image: int, output: int, *, cached: int = 0, written: int | None = None) -> dict[str, object]:
    """`usage` of OpenAI's images; `written`: text beside them, which only newer models tell."""
    kinds: dict[str, object] = {"text_tokens": text, "image_tokens": image}
    if cached:
        kinds |= {"cached_tokens": cached, "cached_tokens_details": {"text_tokens": cached, "image_tokens": 0}}
    usage: dict[str, object] = {
        "input_tokens": text + image,
        "input_tokens_details": kinds,
        "output_tokens": output + (written or 0),
        "total_tokens": text + image + output + (written or 0),
    }
    details = {} if written is None else {"text_tokens": written, "image_tokens": output}
    return usage | ({"output_tokens_details": details} if details else {})


def anthropic(
    fresh: int, output: int, *, read: int = 0, five: int = 0, hour: int = 0, searches: int = 0, fetches: int = 0
) -> dict[str, object]:
    """`usage` of Anthropic's messages: cached tokens stand beside the input."""
    tools = {"web_search_requests": searches, "web_fetch_requests": fetches}
    return {
        "server_tool_use": tools if searches or fetches else None,
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": five + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": output,
    }


def gemini(prompt: int, candidates: int, *, cached: int = 0, thoughts: int = 0, **more: int) -> dict[str, object]:
    """`usageMetadata` of Gemini: thoughts stand beside the candidates."""
    usage: dict[str, object] = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": cached,
        "totalTokenCount": prompt + candidates + thoughts,
    }
    if audio := more.get("audio"):
        text = {"modality": "TEXT", "tokenCount": prompt - audio}
        usage["promptTokensDetails"] = [text, {"modality": "AUDIO", "tokenCount": audio}]
    if seen := more.get("seen"):
        text = {"modality": "TEXT", "tokenCount": prompt - seen}
        usage["promptTokensDetails"] = [text, {"modality": "IMAGE", "tokenCount": seen}]
    if drawn := more.get("drawn"):
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": drawn}]
    return usage | ({"toolUsePromptTokenCount": more["tools"]} if "tools" in more else {})


def bedrock(fresh: int, output: int, *, read: int = 0, write: int = 0) -> dict[str, object]:
    """`usage` of Bedrock's Converse."""
    return {
        "inputTokens": fresh,
        "outputTokens": output,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": write,
        "totalTokens": fresh + output + read + write,
    }
