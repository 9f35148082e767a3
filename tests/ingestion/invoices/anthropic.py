"""Anthropic: platform.claude.com/docs/en/about-claude/pricing."""

from typing import Final

from tests.ingestion.invoices.bill import Bill, anthropic

_OPUS: Final = {"input": "15", "cache_read": "1.50", "cache_write": "18.75", "cache_write_1h": "30", "output": "75"}
_SONNET: Final = {"input": "3", "cache_read": "0.30", "cache_write": "3.75", "cache_write_1h": "6", "output": "15"}
_SONNET_LONG: Final = {
    "input": "6",
    "cache_read": "0.60",
    "cache_write": "7.50",
    "cache_write_1h": "12",
    "output": "22.50",
}
_SONNET_BATCH: Final = {"input": "1.50", "cache_read": "0.15", "cache_write": "1.875", "output": "7.50"}
_HAIKU: Final = {"input": "1", "cache_read": "0.10", "cache_write": "1.25", "cache_write_1h": "2", "output": "5"}
_HAIKU_35: Final = {"input": "0.80", "cache_read": "0.08", "cache_write": "1", "cache_write_1h": "1.60", "output": "4"}
_LONG: Final = (("standard", 200_000, _SONNET_LONG),)
BILLS: Final = (
    Bill("sonnet", anthropic(2_095, 503), _SONNET, ((2_095, "3"), (503, "15")), "0.01383"),
    Bill(
        "sonnet, five minutes written",
        anthropic(21, 393, five=188_086),
        _SONNET,
        ((21, "3"), (188_086, "3.75"), (393, "15")),
        "0.7112805",
    ),
    Bill(
        "sonnet, read again",
        anthropic(21, 393, read=188_086),
        _SONNET,
        ((21, "3"), (188_086, "0.30"), (393, "15")),
        "0.0623838",
    ),
    Bill(
        "sonnet, both lives of a cache",
        anthropic(2_048, 503, read=1_800, five=148, hour=100),
        _SONNET,
        ((2_048, "3"), (1_800, "0.30"), (148, "3.75"), (100, "6"), (503, "15")),
        "0.015384",
    ),
    Bill(
        "sonnet, an hour written",
        anthropic(10, 20, hour=5_000),
        _SONNET,
        ((10, "3"), (5_000, "6"), (20, "15")),
        "0.03033",
    ),
    Bill(
        "sonnet at the limit of its context",
        anthropic(100_000, 1_000, read=100_000),
        _SONNET,
        ((100_000, "3"), (100_000, "0.30"), (1_000, "15")),
        "0.345",
        tiers=_LONG,
    ),
    Bill(
        "sonnet above it, cached tokens counted",
        anthropic(100_000, 1_000, read=100_001),
        _SONNET,
        ((100_000, "6"), (100_001, "0.60"), (1_000, "22.50")),
        "0.6825006",
        tiers=_LONG,
    ),
    Bill(
        "sonnet above it, written for an hour",
        anthropic(1_000, 2_000, five=150_000, hour=60_000),
        _SONNET,
        ((1_000, "6"), (150_000, "7.50"), (60_000, "12"), (2_000, "22.50")),
        "1.896",
        tiers=_LONG,
    ),
    Bill(
        "sonnet, batch",
        anthropic(10_000, 2_000, read=5_000, five=1_000),
        _SONNET,
        ((10_000, "1.50"), (5_000, "0.15"), (1_000, "1.875"), (2_000, "7.50")),
        "0.032625",
        fields={"service_tier": "batch"},
        tiers=(("batch", 0, _SONNET_BATCH),),
    ),
    Bill(
        "opus",
        anthropic(300, 1_200, read=40_000, five=2_500),
        _OPUS,
        ((300, "15"), (40_000, "1.50"), (2_500, "18.75"), (1_200, "75")),
        "0.201375",
    ),
    Bill("opus, an hour written", anthropic(7, 11, hour=13), _OPUS, ((7, "15"), (13, "30"), (11, "75")), "0.00132"),
    Bill(
        "haiku",
        anthropic(999, 333, read=111, five=222, hour=444),
        _HAIKU,
        ((999, "1"), (111, "0.10"), (222, "1.25"), (444, "2"), (333, "5")),
        "0.0038406",
    ),
    Bill(
        "sonnet, a web search",
        anthropic(105, 6_039, read=7_123, five=7_345, searches=1),
        _SONNET,
        ((105, "3"), (7_123, "0.30"), (7_345, "3.75"), (6_039, "15")),
        "0.13058065",
        units=(("web_search", 1, "0.01"),),
    ),
    Bill(
        "sonnet, fetched pages cost their tokens alone",
        anthropic(1_000, 500, searches=3, fetches=2),
        _SONNET,
        ((1_000, "3"), (500, "15")),
        "0.0405",
        units=(("web_search", 3, "0.01"),),
    ),
    Bill("haiku 3.5", anthropic(12_500, 640), _HAIKU_35, ((12_500, "0.80"), (640, "4")), "0.01256"),
)
