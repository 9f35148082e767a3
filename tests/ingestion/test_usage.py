"""Usage objects of the providers."""

import pytest

from ingestion import usage
from ingestion.records import Code, RejectedError

SHAPES = [
    (
        "OpenAI chat",
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5, "audio_tokens": 7},
            "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
        },
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_tokens": 10,
            "cache_write_tokens": 5,
            "reasoning_tokens": 20,
            "audio_input_tokens": 7,
            "audio_output_tokens": 3,
        },
    ),
    (
        "OpenAI responses",
        {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 10},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 20},
        },
        {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 10, "reasoning_tokens": 20},
    ),
    (
        "OpenAI realtime",
        {
            "input_tokens": 100,
            "input_token_details": {"cached_tokens": 10, "audio_tokens": 30},
            "output_tokens": 50,
            "output_token_details": {"audio_tokens": 40},
        },
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_tokens": 10,
            "audio_input_tokens": 30,
            "audio_output_tokens": 40,
        },
    ),
    (
        "Anthropic",
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_input_tokens": 1_000,
            "cache_creation_input_tokens": 200,
            "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
        },
        {
            "input_tokens": 1_300,
            "output_tokens": 50,
            "cache_read_tokens": 1_000,
            "cache_write_tokens": 200,
            "cache_write_1h_tokens": 50,
        },
    ),
    (
        "Gemini",
        {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 8,
            "candidatesTokenCount": 40,
            "thoughtsTokenCount": 10,
            "cachedContentTokenCount": 30,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 90},
                {"modality": "AUDIO", "tokenCount": 10},
            ],
        },
        {
            "input_tokens": 108,
            "output_tokens": 50,
            "cache_read_tokens": 30,
            "reasoning_tokens": 10,
            "audio_input_tokens": 10,
        },
    ),
    (
        "Bedrock Converse",
        {"inputTokens": 100, "outputTokens": 50, "cacheReadInputTokens": 1_000, "cacheWriteInputTokens": 200},
        {"input_tokens": 1_300, "output_tokens": 50, "cache_read_tokens": 1_000, "cache_write_tokens": 200},
    ),
    ("plain", {"input_tokens": 100, "output_tokens": 50}, {"input_tokens": 100, "output_tokens": 50}),
    ("unknown parts", {"prompt_tokens": 9, "prompt_tokens_details": None}, {"input_tokens": 9}),
]


@pytest.mark.parametrize(("sent", "expected"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_shapes(sent: dict[str, object], expected: dict[str, int]) -> None:
    assert usage.counts(sent) == expected


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, Code.INVALID),
        ({"tokens": 3}, Code.INVALID),
        ({"prompt_tokens": "3"}, Code.INVALID),
        ({"prompt_tokens": True}, Code.INVALID),
        ({"prompt_tokens": 2.5}, Code.INVALID),
        ({"prompt_tokens": -3}, Code.NEGATIVE),
    ],
)
def test_what_is_not_a_count_is_refused(sent: dict[str, object], code: Code) -> None:
    with pytest.raises(RejectedError) as refused:
        usage.counts(sent)
    assert refused.value.code is code
