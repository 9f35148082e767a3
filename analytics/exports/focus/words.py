"""What meters, sellers and makers are called in a FOCUS file. Pure."""

from typing import Final
from urllib.parse import quote

from analytics.meters.values import NOT_ITEMISED, REPORTED
from ingestion.records import UNIT

UNKNOWN: Final = "Unknown"
METERS: Final = {
    "input": "Input Tokens",
    "cache_read": "Cached Input Tokens",
    "cache_write": "Cache Write Tokens",
    "cache_write_1h": "Cache Write Tokens (1 Hour)",
    "audio_input": "Audio Input Tokens",
    "image_input": "Image Input Tokens",
    "output": "Output Tokens",
    "reasoning": "Reasoning Tokens",
    "audio_output": "Audio Output Tokens",
    "image_output": "Image Output Tokens",
    "request": "Requests",
    REPORTED: "Gateway-Reported Usage",
    NOT_ITEMISED: "Usage Not Itemised",
}
"""SkuMeter of every class; units have their own name."""
PROVIDERS: Final = {
    "anthropic": "Anthropic",
    "aws": "AWS",
    "azure": "Azure",
    "cerebras": "Cerebras",
    "cohere": "Cohere",
    "databricks": "Databricks",
    "deepseek": "DeepSeek",
    "fireworks": "Fireworks AI",
    "google": "Google",
    "google-vertex": "Google Cloud",
    "groq": "Groq",
    "mistral": "Mistral AI",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "perplexity": "Perplexity",
    "together": "Together AI",
    "x-ai": "xAI",
}
"""Names of sellers; others are called by their id."""
_MAKERS: Final = (
    (("claude",), "Anthropic"),
    (("gpt", "chatgpt", "o1", "o3", "o4", "text-embedding-3", "text-embedding-ada", "dall-e", "whisper"), "OpenAI"),
    (("gemini", "gemma", "text-embedding-00"), "Google"),
    (("llama",), "Meta"),
    (("mistral", "mixtral", "codestral", "ministral", "pixtral"), "Mistral AI"),
    (("deepseek",), "DeepSeek"),
    (("qwen",), "Alibaba Cloud"),
    (("grok",), "xAI"),
    (("command", "embed-", "rerank-"), "Cohere"),
    (("nova", "titan"), "Amazon"),
)
"""How the models of a maker begin, behind what stands before the last slash or a name of the maker with a dot."""
CLOUDS: Final = frozenset({"aws", "azure", "google-cloud", "google-vertex"})
"""Providers that host the models of others."""


def meter_name(meter: str) -> str:
    """`unit:web_search` is Web Searches."""
    if not meter.startswith(UNIT):
        return METERS[meter]
    return _plural(meter.removeprefix(UNIT).replace("_", " ").strip().title() or "Units")


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "sh", "x", "z", "ss")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1].lower() not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun if noun.endswith("s") else f"{noun}s"


def provider_name(provider: str) -> str:
    """Who sells."""
    return PROVIDERS.get(provider, provider) or UNKNOWN


def publisher_name(provider: str, model: str) -> str:
    """Who makes the model; the seller where that is not known."""
    name = model.lower().rpartition("/")[2]
    parts = (name, *(name.split(".")[1:]))
    for beginnings, maker in _MAKERS:
        if any(part.startswith(beginnings) for part in parts):
            return maker
    return provider_name(provider)


def part(text: str) -> str:
    """A part of an id, which the next slash ends."""
    return quote(text, safe=" :+@") or "unknown"


def sku(provider: str, model: str, meter: str) -> str:
    """`openai/gpt-5/input`: one meter per id, the same for everybody."""
    return f"{part(provider)}/{model or 'unknown'}/{meter}"
