"""Google: ai.google.dev/gemini-api/docs/pricing."""

from typing import Final

from tests.ingestion.invoices.bill import Bill, gemini

_PRO: Final = {"input": "1.25", "cache_read": "0.125", "output": "10"}
_PRO_LONG: Final = {"input": "2.50", "cache_read": "0.25", "output": "15"}
_FLASH: Final = {"input": "0.30", "cache_read": "0.03", "audio_input": "1", "output": "2.50"}
_FLASH_BATCH: Final = {"input": "0.15", "output": "1.25"}
_FLASH_LITE: Final = {"input": "0.10", "cache_read": "0.01", "audio_input": "0.30", "output": "0.40"}
_FLASH_IMAGE: Final = {"input": "0.30", "output": "2.50", "image_output": "30"}
_PRO_IMAGE: Final = {"input": "2", "output": "12", "image_output": "120"}
_PRO_TIERS: Final = (("standard", 200_000, _PRO_LONG),)
BILLS: Final = (
    Bill(
        "pro, thoughts beside the answer",
        gemini(1_200, 300, thoughts=2_700),
        _PRO,
        ((1_200, "1.25"), (300, "10"), (2_700, "10")),
        "0.0315",
        tiers=_PRO_TIERS,
    ),
    Bill(
        "pro, cached below the limit",
        gemini(180_000, 800, cached=150_000),
        _PRO,
        ((30_000, "1.25"), (150_000, "0.125"), (800, "10")),
        "0.06425",
        tiers=_PRO_TIERS,
    ),
    Bill(
        "pro, tools count to the limit",
        gemini(199_999, 500, tools=2),
        _PRO,
        ((200_001, "2.50"), (500, "15")),
        "0.5075025",
        tiers=_PRO_TIERS,
    ),
    Bill(
        "pro, a million tokens",
        gemini(1_000_000, 65_536, cached=900_000, thoughts=32_768),
        _PRO,
        ((100_000, "2.50"), (900_000, "0.25"), (65_536, "15"), (32_768, "15")),
        "1.94956",
        tiers=_PRO_TIERS,
    ),
    Bill("flash", gemini(4_321, 987), _FLASH, ((4_321, "0.30"), (987, "2.50")), "0.0037638"),
    Bill(
        "flash, a recording",
        gemini(2_000, 100, audio=1_920, thoughts=50),
        _FLASH,
        ((80, "0.30"), (1_920, "1"), (100, "2.50"), (50, "2.50")),
        "0.002319",
    ),
    Bill(
        "flash, batch",
        gemini(50_000, 10_000),
        _FLASH,
        ((50_000, "0.15"), (10_000, "1.25")),
        "0.02",
        fields={"service_tier": "batch"},
        tiers=(("batch", 0, _FLASH_BATCH),),
    ),
    Bill(
        "flash image, a picture of a picture",
        gemini(1_300, 1_300, seen=258, drawn=1_290),
        _FLASH_IMAGE,
        ((1_042, "0.30"), (258, "0.30"), (10, "2.50"), (1_290, "30")),
        "0.039115",
    ),
    Bill(
        "pro image, thoughts before the picture",
        gemini(20, 1_120, thoughts=225, drawn=1_120),
        _PRO_IMAGE,
        ((20, "2"), (225, "12"), (1_120, "120")),
        "0.13714",
    ),
    Bill(
        "flash-lite, cached recording",
        gemini(1_500, 40, cached=1_000, audio=300),
        _FLASH_LITE,
        ((200, "0.10"), (1_000, "0.01"), (300, "0.30"), (40, "0.40")),
        "0.000136",
    ),
)
