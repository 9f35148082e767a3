"""The files that providers offer: one declarative entry each. Adding one is adding an entry. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from analytics.reconciliation.row import Row
from analytics.reconciliation.values import ALL_INPUT, OTHER, Figure

Figures = Callable[[Row], Iterator[Figure]]


@dataclass(frozen=True, slots=True)
class Format:
    """`required` columns are refused by name when they miss; `optional` are read where they are. Others are ignored."""

    name: str
    label: str
    provider: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    day: str
    figures: Figures


def _openai_usage(row: Row) -> Iterator[Figure]:
    day, model = row.day("start_time"), row.text("model")
    if not model:  # a day without use
        return
    tier = "batch" if row.text("batch").lower() == "true" else row.text("service_tier").lower()
    tier = "" if tier in ("default", "standard", "auto") else tier
    cached = row.count("input_cached_tokens") or 0
    audio = (row.count("input_audio_tokens") or 0) - (row.count("input_cached_audio_tokens") or 0)
    image = (row.count("input_image_tokens") or 0) - (row.count("input_cached_image_tokens") or 0)
    audio, image = max(audio, 0), max(image, 0)
    spoken, drawn = row.count("output_audio_tokens") or 0, row.count("output_image_tokens") or 0
    found = {
        "input": row.less("input_tokens", row.count("input_tokens") or 0, cached, audio, image),
        "cache_read": cached,
        "audio_input": audio,
        "image_input": image,
        "output": row.less("output_tokens", row.count("output_tokens") or 0, spoken, drawn),
        "audio_output": spoken,
        "image_output": drawn,
    }
    for token_class, count in found.items():
        if count:
            yield Figure(day, model, token_class, tier, quantity=count)
    yield Figure(day, model, requests=row.count("num_model_requests") or 0)


_LINE_ITEMS: Final = {
    "input": "input",
    "text input": "input",
    "cached input": "cache_read",
    "cached text input": "cache_read",
    "cache read": "cache_read",
    "cached audio input": "cache_read",
    "cache write": "cache_write",
    "audio input": "audio_input",
    "image input": "image_input",
    "output": "output",
    "text output": "output",
    "reasoning": "output",
    "audio output": "audio_output",
    "image output": "image_output",
}
"""What stands behind the model in OpenAI's costs."""
_TIERS: Final = ("batch", "flex", "priority")


def _openai_costs(row: Row) -> Iterator[Figure]:
    day, cost = row.day("start_time"), row.money("amount_value")
    row.currency("amount_currency")
    if cost is None:  # a day without costs
        return
    item = row.text("line_item")
    model, comma, words = item.rpartition(", ")
    if not comma:
        yield Figure(day, item, OTHER if item else "", cost=cost)
        return
    words = words.lower()
    tier = next((one for one in _TIERS if one in words.split()), "")
    token_class = _LINE_ITEMS.get(" ".join(word for word in words.split() if word != tier), OTHER)
    yield Figure(day, model, token_class, tier, cost=cost)


_WEB_SEARCH: Final = "unit:web_search"
_ANTHROPIC_USAGE: Final = {
    "usage_input_tokens_no_cache": "input",
    "usage_input_tokens_cache_write_5m": "cache_write",
    "usage_input_tokens_cache_write_1h": "cache_write_1h",
    "usage_input_tokens_cache_read": "cache_read",
    "usage_output_tokens": "output",
    "web_search_count": _WEB_SEARCH,
}
_ANTHROPIC_COST: Final = {
    "input_no_cache": "input",
    "input_cache_read": "cache_read",
    "input_cache_write_5m": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "output": "output",
}


def _anthropic_tier(row: Row) -> str:
    usage = row.text("usage_type").lower()
    return "batch" if "batch" in usage else ""


def _anthropic_usage(row: Row) -> Iterator[Figure]:
    day, model, tier = row.day("usage_date_utc"), row.text("model_version"), _anthropic_tier(row)
    for column, token_class in _ANTHROPIC_USAGE.items():
        count = row.count(column)
        if model and count:
            yield Figure(day, model, token_class, tier, quantity=count)


def _anthropic_cost(row: Row) -> Iterator[Figure]:
    day, cost = row.day("usage_date_utc"), row.money("cost_usd")
    if cost is None:
        return
    kind = row.text("cost_type").lower()
    otherwise = _WEB_SEARCH if "search" in kind else OTHER
    token_class = _ANTHROPIC_COST.get(row.text("token_type").lower(), otherwise)
    yield Figure(day, row.text("model") or kind, token_class, _anthropic_tier(row), cost=cost)


def _openrouter_requests(row: Row) -> Iterator[Figure]:
    day, model, cached = row.day("created_at"), row.text("model_permaslug"), row.count("tokens_cached") or 0
    sent = row.less("tokens_prompt", row.count("tokens_prompt") or 0, cached)
    found = {"input": sent, "cache_read": cached, "output": row.count("tokens_completion") or 0}
    for token_class, count in found.items():
        if count:
            yield Figure(day, model, token_class, quantity=count)
    yield Figure(day, model, requests=1, cost=row.money("cost_total") or 0)


def _openrouter_days(row: Row) -> Iterator[Figure]:
    day, model = row.day("date"), row.text("model_permaslug")
    for column, token_class in (("prompt_tokens", ALL_INPUT), ("completion_tokens", "output")):
        count = row.count(column)
        if count:
            yield Figure(day, model, token_class, quantity=count)
    yield Figure(day, model, requests=row.count("requests") or 0, cost=row.money("usage") or 0)


FORMATS: Final = (
    Format(
        "openai-usage",
        "OpenAI: usage",
        "openai",
        ("start_time", "model", "num_model_requests", "input_tokens", "output_tokens", "input_cached_tokens"),
        (
            *("batch", "service_tier", "input_audio_tokens", "input_cached_audio_tokens", "input_image_tokens"),
            *("input_cached_image_tokens", "output_audio_tokens", "output_image_tokens"),
        ),
        "start_time",
        _openai_usage,
    ),
    Format(
        "openai-costs",
        "OpenAI: costs",
        "openai",
        ("start_time", "amount_value", "amount_currency", "line_item"),
        (),
        "start_time",
        _openai_costs,
    ),
    Format(
        "anthropic-usage",
        "Anthropic: usage",
        "anthropic",
        (
            *("usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_input_tokens_cache_write_5m"),
            *("usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_read", "usage_output_tokens"),
        ),
        ("usage_type", "web_search_count"),
        "usage_date_utc",
        _anthropic_usage,
    ),
    Format(
        "anthropic-cost",
        "Anthropic: cost",
        "anthropic",
        ("usage_date_utc", "model", "token_type", "cost_usd"),
        ("usage_type", "cost_type"),
        "usage_date_utc",
        _anthropic_cost,
    ),
    Format(
        "openrouter-requests",
        "OpenRouter: activity, a row per request",
        "openrouter",
        ("created_at", "cost_total", "tokens_prompt", "tokens_completion", "tokens_cached", "model_permaslug"),
        (),
        "created_at",
        _openrouter_requests,
    ),
    Format(
        "openrouter-days",
        "OpenRouter: activity, a row per day",
        "openrouter",
        ("date", "model_permaslug", "usage", "requests", "prompt_tokens", "completion_tokens"),
        (),
        "date",
        _openrouter_days,
    ),
)
BY_NAME: Final = {one.name: one for one in FORMATS}
