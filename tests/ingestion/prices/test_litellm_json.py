"""LiteLLM's price file."""

import json
from typing import Any

import pytest

from ingestion.pricing.catalogues import files
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError
from ingestion.pricing.catalogues.litellm_json import CLASSES, TIERS
from tests.ingestion.prices.reading import reasons, undated


def read(text: str) -> Catalogue:
    return files.read(text.encode())


def of(**fields: Any) -> Catalogue:
    """A file of one model of openai."""
    return read(json.dumps({"gpt-5": {"litellm_provider": "openai"} | fields}))


def test_prices_are_exact_texts_times_a_million() -> None:
    found = read(
        '{"sample_spec": {"input_cost_per_token": 0.0}, "gpt-4o-mini": {"mode": "chat",'
        '"litellm_provider": "openai",'
        '"input_cost_per_token": 1.5e-07, "output_cost_per_token": 0.0000006,'
        '"cache_read_input_token_cost": "7.5e-08"}}'
    )
    assert undated(found) == {
        ("openai", "gpt-4o-mini", "input"): "0.15",
        ("openai", "gpt-4o-mini", "output"): "0.6",
        ("openai", "gpt-4o-mini", "cache_read"): "0.075",
    }
    assert (found.skipped, dict(found.ignored)) == ([], {})
    assert found.source.startswith("catalogue:litellm@")


def test_prices_that_a_float_would_round_are_refused_and_not_rounded() -> None:
    found = read('{"m": {"input_cost_per_token": 1.00000000000000000001e-06, "output_cost_per_token": 2e-06}}')
    assert undated(found) == {("*", "m", "output"): "2"}
    assert reasons(found) == {"m: input": "has more than 6 decimals in USD per 1M tokens"}


def test_every_known_field_has_its_class() -> None:
    found = of(
        **{field: 0.000001 for field in CLASSES if field != "input_cost_per_request"}, input_cost_per_request=0.005
    )
    expected = {("openai", "gpt-5", token_class): "1" for token_class in CLASSES.values()}
    assert undated(found) == expected | {("openai", "gpt-5", "request"): "0.005"}


def test_tiers_contexts_and_the_long_cache() -> None:
    found = of(
        input_cost_per_token=1e-6,
        input_cost_per_token_above_200k_tokens=2e-6,
        input_cost_per_token_priority=3e-6,
        input_cost_per_token_above_200k_tokens_priority=6e-6,
        cache_creation_input_token_cost=1.25e-6,
        cache_creation_input_token_cost_above_1hr=2e-6,
        cache_creation_input_token_cost_above_1hr_above_128k_tokens=4e-6,
        output_cost_per_token_batches=5e-6,
        output_cost_per_token_flex=4e-6,
        output_cost_per_token_above_272k_tokens=9e-6,
    )
    m = ("openai", "gpt-5")
    assert undated(found) == {
        (*m, "input"): "1",
        (*m, "input", 200_000): "2",
        (*m, "input", "priority"): "3",
        (*m, "input", "priority", 200_000): "6",
        (*m, "cache_write"): "1.25",
        (*m, "cache_write_1h"): "2",
        (*m, "cache_write_1h", 128_000): "4",
        (*m, "output", "batch"): "5",
        (*m, "output", "flex"): "4",
        (*m, "output", 272_000): "9",
        # Tiers go before contexts, so a tier without the limit would keep its low price above it.
        (*m, "output", "batch", 272_000): "9",
        (*m, "output", "flex", 272_000): "9",
    }


def test_each_suffix_is_a_service_tier() -> None:
    found = of(**{f"input_cost_per_token{suffix}": 1e-6 for suffix in TIERS})
    assert undated(found) == {("openai", "gpt-5", "input", tier): "1" for tier in ("batch", "flex", "priority")}


@pytest.mark.parametrize(
    ("model", "provider", "stored"),
    [
        ("gpt-4o", "openai", ("openai", "gpt-4o")),
        ("azure/gpt-4o", "azure", ("azure", "gpt-4o")),
        ("azure/eu/gpt-4o", "azure", ("azure", "eu/gpt-4o")),
        ("gemini/gemini-2.5-pro", "gemini", ("google", "gemini-2.5-pro")),
        ("vertex_ai/claude-Opus", "vertex_ai-anthropic_models", ("google-vertex", "claude-opus")),
        ("anthropic.claude-v1", "bedrock_converse", ("aws", "anthropic.claude-v1")),
        ("bedrock/us-east-1/x", "bedrock", ("aws", "us-east-1/x")),
        ("openrouter/openai/gpt-4o", "openrouter", ("openrouter", "openai/gpt-4o")),
        ("xai/grok-4", "xai", ("x-ai", "grok-4")),
        ("mine/gpt", None, ("*", "mine/gpt")),
        ("azure/", "azure", ("azure", "azure/")),
    ],
)
def test_names_are_those_of_stored_requests(model: str, provider: str | None, stored: tuple[str, str]) -> None:
    found = read(json.dumps({model: {"litellm_provider": provider, "input_cost_per_token": 1e-6}}))
    assert list(undated(found)) == [(*stored, "input")]


def test_what_cannot_be_held_is_listed() -> None:
    found = read(
        json.dumps(
            {
                "negative": {"input_cost_per_token": -1e-6},
                "absurd": {"input_cost_per_token": 1.25},
                "words": {"input_cost_per_token": "cheap", "output_cost_per_token": True},
                "tiers": {"input_cost_per_token": 1e-6, "tiered_pricing": [{"range": [0, 9]}]},
                "night": {"input_cost_per_token": 1e-6, "off_peak_pricing": {"hours_utc": "00:00-01:00"}},
                "a/b*": {"input_cost_per_token": 1e-6},
                "bell\x07": {"input_cost_per_token": 1e-6},
                "n" * 257: {"input_cost_per_token": 1e-6},
                "other": {
                    "input_cost_per_image": 0.1,
                    "price_in_cents": 1,
                    "max_tokens": 5,
                    "input_cost_per_token": None,
                },
                "text": "no object",
            }
        )
    )
    assert undated(found) == {}
    assert reasons(found) == {
        "negative: input": "is negative",
        "absurd: input": "is absurd: more than 10,000 USD per 1M tokens",
        "words: input": "is not a number",
        "words: output": "is not a number",
        "tiers": "is priced by a table of tiers, which is not supported",
        "night": "is priced by the time of day, which is not supported",
        "a/b*: input": "the name of the model holds * or ?",
        "bell\N{REPLACEMENT CHARACTER}: input": "model_match is empty or holds characters that cannot be printed",
        "n" * 200: "model_match is longer than 256 characters",
        "text": "is not an object",
    }
    assert dict(found.ignored) == {"input_cost_per_image": 1, "price_in_cents": 1}
    assert ("*", "exact", "negative", "input", "standard", 0) in found.withheld


def test_the_first_of_two_prices_of_a_model_counts() -> None:
    found = read(
        json.dumps(
            {
                "gemini/g": {"litellm_provider": "gemini", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
                "g": {"litellm_provider": "gemini", "input_cost_per_token": 3e-6, "output_cost_per_token": 2e-6},
            }
        )
    )
    assert undated(found) == {("google", "g", "input"): "1", ("google", "g", "output"): "2"}
    assert reasons(found) == {"g: input": "has another price earlier in the catalogue"}


@pytest.mark.parametrize(
    "content",
    ["", "   ", "{", "[]", "{}", '{"a": 1}', '{"a": {"input_cost_per_token": NaN}}', "[" * 100_000, '{"a": "\xff"}'],
)
def test_other_files_are_refused_with_a_sentence(content: str) -> None:
    with pytest.raises(UnreadableError, match=r"[A-Z]"):
        files.read(content.encode("latin-1"))
