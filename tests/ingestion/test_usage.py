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
    (
        "OpenAI images",
        {
            "input_tokens": 250,
            "input_tokens_details": {"text_tokens": 56, "image_tokens": 194},
            "output_tokens": 1_056,
            "total_tokens": 1_306,
        },
        # Without details "the number of image tokens in the output image".
        {
            "input_tokens": 250,
            "output_tokens": 1_056,
            "image_input_tokens": 194,
            "image_output_tokens": 1_056,
        },
    ),
    (
        "OpenAI images, text beside them",
        {
            "input_tokens": 250,
            "input_tokens_details": {"text_tokens": 56, "image_tokens": 194},
            "output_tokens": 300,
            "output_tokens_details": {"text_tokens": 28, "image_tokens": 272},
        },
        {"input_tokens": 250, "output_tokens": 300, "image_input_tokens": 194, "image_output_tokens": 272},
    ),
    (
        "OpenAI realtime, what of it was cached",
        {
            "input_tokens": 1_000,
            "input_token_details": {
                "text_tokens": 300,
                "audio_tokens": 500,
                "image_tokens": 200,
                "cached_tokens": 450,
                "cached_tokens_details": {"text_tokens": 100, "audio_tokens": 300, "image_tokens": 50},
            },
            "output_tokens": 50,
            "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
        },
        {
            "input_tokens": 1_000,
            "output_tokens": 50,
            "cache_read_tokens": 450,
            "audio_input_tokens": 200,
            "image_input_tokens": 150,
            "audio_output_tokens": 40,
        },
    ),
    (
        "OpenAI chat that says its cached audio twice as large as its audio",
        {
            "prompt_tokens": 100,
            "prompt_tokens_details": {
                "audio_tokens": 10,
                "cached_tokens": 20,
                "cached_tokens_details": {"audio_tokens": 20},
            },
        },
        {"input_tokens": 100, "cache_read_tokens": 20, "audio_input_tokens": 10},
    ),
    (
        "Gemini, several parts of one modality",
        {
            "promptTokenCount": 1_000,
            "toolUsePromptTokenCount": 20,
            "cachedContentTokenCount": 600,
            "candidatesTokenCount": 1_400,
            "promptTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 258},
                {"modality": "TEXT", "tokenCount": 484},
                {"modality": "IMAGE", "tokenCount": 258},
            ],
            "toolUsePromptTokensDetails": [{"modality": "IMAGE", "tokenCount": 20}],
            "cacheTokensDetails": [
                {"modality": "TEXT", "tokenCount": 342},
                {"modality": "IMAGE", "tokenCount": 258},
            ],
            "candidatesTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 1_290},
                {"modality": "TEXT", "tokenCount": 110},
            ],
        },
        {
            "input_tokens": 1_020,
            "output_tokens": 1_400,
            "cache_read_tokens": 600,
            "image_input_tokens": 278,
            "image_output_tokens": 1_290,
        },
    ),
    (
        "Gemini, details that are none",
        {
            "promptTokenCount": 5,
            "promptTokensDetails": 7,
            "cacheTokensDetails": "AUDIO",
            "candidatesTokensDetails": [None, "IMAGE", 3, {"modality": ["IMAGE"]}, {"modality": "IMAGE"}],
        },
        {"input_tokens": 5},
    ),
    ("plain", {"input_tokens": 100, "output_tokens": 50}, {"input_tokens": 100, "output_tokens": 50}),
    ("unknown parts", {"prompt_tokens": 9, "prompt_tokens_details": None}, {"input_tokens": 9}),
]


@pytest.mark.parametrize(("sent", "expected"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES])
def test_shapes(sent: dict[str, object], expected: dict[str, int]) -> None:
    assert usage.counts(sent) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            {"input_tokens": 1, "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2}},
            {"web_search": 3},
        ),
        ({"prompt_tokens": 1, "server_tool_use": {"web_search_requests": 3}}, {"web_search": 3}),
        ({"server_tool_use": {"web_search_requests": 0}}, {}),
        ({"server_tool_use": {"web_fetch_requests": 2}}, {}),
        ({"server_tool_use": None}, {}),
        ({"server_tool_use": [3]}, {}),
        ({"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}, {}),
    ],
)
def test_units_are_those_that_are_named_and_billed(sent: dict[str, object], expected: dict[str, int]) -> None:
    assert usage.units(sent) == expected


@pytest.mark.parametrize("searches", ["3", 2.5, -1, True])
def test_a_number_of_searches_that_is_none_is_refused(searches: object) -> None:
    with pytest.raises(RejectedError, match="web_search_requests must"):
        usage.units({"server_tool_use": {"web_search_requests": searches}})


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, Code.INVALID),
        ({"tokens": 3}, Code.INVALID),
        ({"prompt_tokens": "3"}, Code.INVALID),
        ({"prompt_tokens": True}, Code.INVALID),
        ({"prompt_tokens": 2.5}, Code.INVALID),
        ({"prompt_tokens": -3}, Code.NEGATIVE),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"image_tokens": "3"}}, Code.INVALID),
        ({"prompt_tokens": 3, "completion_tokens_details": {"image_tokens": -3}}, Code.NEGATIVE),
        ({"promptTokenCount": 3, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": -1}]}, Code.NEGATIVE),
    ],
)
def test_what_is_not_a_count_is_refused(sent: dict[str, object], code: Code) -> None:
    with pytest.raises(RejectedError) as refused:
        usage.counts(sent)
    assert refused.value.code is code
