"""OpenAI: openai.com/api/pricing."""

from typing import Final

from tests.ingestion.invoices.bill import Bill, chat, images, responses

_GPT_4O: Final = {"input": "2.50", "cache_read": "1.25", "output": "10"}
_GPT_4O_BATCH: Final = {"input": "1.25", "output": "5"}
_GPT_41: Final = {"input": "2", "cache_read": "0.50", "output": "8"}
_GPT_41_MINI: Final = {"input": "0.40", "cache_read": "0.10", "output": "1.60"}
_GPT_41_NANO: Final = {"input": "0.10", "cache_read": "0.025", "output": "0.40"}
_O3: Final = {"input": "2", "cache_read": "0.50", "output": "8"}
_O3_FLEX: Final = {"input": "1", "cache_read": "0.25", "output": "4"}
_O4_MINI: Final = {"input": "1.10", "cache_read": "0.275", "output": "4.40"}
_GPT_5: Final = {"input": "1.25", "cache_read": "0.125", "output": "10"}
_GPT_5_MINI: Final = {"input": "0.25", "cache_read": "0.025", "output": "2"}
_GPT_5_NANO: Final = {"input": "0.05", "cache_read": "0.005", "output": "0.40"}
_GPT_5_PRIORITY: Final = {"input": "2.50", "cache_read": "0.25", "output": "20"}
_AUDIO: Final = {"input": "2.50", "output": "10", "audio_input": "40", "audio_output": "80"}
_REALTIME: Final = {"input": "4", "cache_read": "0.40", "output": "16", "audio_input": "32", "audio_output": "64"}
_IMAGE_1: Final = {"input": "5", "cache_read": "1.25", "image_input": "10", "image_output": "40"}
_IMAGE_15: Final = _IMAGE_1 | {"image_input": "8", "output": "10", "image_output": "32"}
_DRAWN: Final = {"operation": "image_generation"}
_EMBEDDINGS: Final = {"operation": "embeddings"}
BILLS: Final = (
    Bill("gpt-4o", chat(1_000, 500), _GPT_4O, ((1_000, "2.50"), (500, "10")), "0.0075"),
    Bill(
        "gpt-4o, cached",
        chat(2_048, 300, cached=1_920),
        _GPT_4O,
        ((128, "2.50"), (1_920, "1.25"), (300, "10")),
        "0.00572",
    ),
    Bill("gpt-4o, everything cached", chat(1_024, 1, cached=1_024), _GPT_4O, ((1_024, "1.25"), (1, "10")), "0.00129"),
    Bill(
        "gpt-4o, batch",
        chat(40_000, 8_000),
        _GPT_4O,
        ((40_000, "1.25"), (8_000, "5")),
        "0.09",
        fields={"service_tier": "batch"},
        tiers=(("batch", 0, _GPT_4O_BATCH),),
    ),
    Bill(
        "gpt-4o, batch, cached at the standard price",
        chat(4_000, 800, cached=1_000),
        _GPT_4O,
        ((3_000, "1.25"), (1_000, "1.25"), (800, "5")),
        "0.009",
        fields={"service_tier": "batch"},
        tiers=(("batch", 0, _GPT_4O_BATCH),),
    ),
    Bill("gpt-4.1", chat(12_345, 678), _GPT_41, ((12_345, "2"), (678, "8")), "0.030114"),
    Bill(
        "gpt-4.1-mini, cached",
        chat(10_001, 999, cached=7_168),
        _GPT_41_MINI,
        ((2_833, "0.40"), (7_168, "0.10"), (999, "1.60")),
        "0.0034484",
    ),
    Bill("gpt-4.1-nano, one token each", chat(1, 1), _GPT_41_NANO, ((1, "0.10"), (1, "0.40")), "0.0000005"),
    Bill(
        "gpt-4.1-nano, cached",
        chat(1_111, 7, cached=1_024),
        _GPT_41_NANO,
        ((87, "0.10"), (1_024, "0.025"), (7, "0.40")),
        "0.0000371",
    ),
    Bill(
        "o3, reasoning is output",
        chat(350, 4_100, reasoning=3_968),
        _O3,
        ((350, "2"), (132, "8"), (3_968, "8")),
        "0.0335",
    ),
    Bill(
        "o3, flex",
        chat(20_000, 5_000, cached=4_000, reasoning=4_500),
        _O3,
        ((16_000, "1"), (4_000, "0.25"), (500, "4"), (4_500, "4")),
        "0.037",
        fields={"service_tier": "flex"},
        tiers=(("flex", 0, _O3_FLEX),),
    ),
    Bill(
        "o4-mini, responses",
        responses(3_000, 1_500, cached=2_500, reasoning=1_024),
        _O4_MINI,
        ((500, "1.10"), (2_500, "0.275"), (476, "4.40"), (1_024, "4.40")),
        "0.0078375",
    ),
    Bill("gpt-5, responses", responses(36, 87), _GPT_5, ((36, "1.25"), (87, "10")), "0.000915"),
    Bill(
        "gpt-5, priority",
        responses(36_000, 870, cached=30_000, reasoning=640),
        _GPT_5,
        ((6_000, "2.50"), (30_000, "0.25"), (230, "20"), (640, "20")),
        "0.0399",
        fields={"service_tier": "priority"},
        tiers=(("priority", 0, _GPT_5_PRIORITY),),
    ),
    Bill(
        "gpt-5-mini, all output reasoned",
        responses(150, 64, reasoning=64),
        _GPT_5_MINI,
        ((150, "0.25"), (0, "2"), (64, "2")),
        "0.0001655",
    ),
    Bill(
        "gpt-5-nano, a million tokens",
        responses(1_000_000, 128_000),
        _GPT_5_NANO,
        ((1_000_000, "0.05"), (128_000, "0.40")),
        "0.1012",
    ),
    Bill(
        "gpt-4o-audio, spoken question and answer",
        chat(120, 450, audio_in=100, audio_out=400),
        _AUDIO,
        ((20, "2.50"), (100, "40"), (50, "10"), (400, "80")),
        "0.03655",
    ),
    Bill(
        "gpt-4o-audio, spoken answer alone",
        chat(50, 320, audio_out=300),
        _AUDIO,
        ((50, "2.50"), (20, "10"), (300, "80")),
        "0.024325",
    ),
    Bill(
        "gpt-realtime, cached text",
        chat(900, 260, cached=512, audio_in=300, audio_out=200),
        _REALTIME,
        ((88, "4"), (512, "0.40"), (300, "32"), (60, "16"), (200, "64")),
        "0.0239168",
    ),
    Bill(
        "gpt-image-1, high quality from a text",
        images(56, 0, 4_160),
        _IMAGE_1,
        ((56, "5"), (4_160, "40")),
        "0.16668",
        fields=_DRAWN,
    ),
    Bill(
        "gpt-image-1, an image edited",
        images(56, 194, 1_056),
        _IMAGE_1,
        ((56, "5"), (194, "10"), (1_056, "40")),
        "0.04446",
        fields=_DRAWN,
    ),
    Bill(
        "gpt-image-1, cached text",
        images(800, 1_200, 272, cached=512),
        _IMAGE_1,
        ((288, "5"), (512, "1.25"), (1_200, "10"), (272, "40")),
        "0.02496",
        fields=_DRAWN,
    ),
    Bill(
        "gpt-image-1.5, text beside the image",
        images(100, 0, 272, written=28),
        _IMAGE_15,
        ((100, "5"), (28, "10"), (272, "32")),
        "0.009484",
        fields=_DRAWN,
    ),
    Bill(
        "text-embedding-3-small",
        {"prompt_tokens": 8_191, "total_tokens": 8_191},
        {"input": "0.02"},
        ((8_191, "0.02"),),
        "0.00016382",
        fields=_EMBEDDINGS,
    ),
    Bill(
        "text-embedding-3-large",
        {"prompt_tokens": 5, "total_tokens": 5},
        {"input": "0.13"},
        ((5, "0.13"),),
        "0.00000065",
        fields=_EMBEDDINGS,
    ),
)
