"""Others: aws.amazon.com/bedrock/pricing, openrouter.ai/models, docs.perplexity.ai."""

from typing import Final

from tests.ingestion.invoices.bill import Bill, bedrock, chat

_SONNET: Final = {"input": "3", "cache_read": "0.30", "cache_write": "3.75", "cache_write_1h": "6", "output": "15"}
_NOVA_PRO: Final = {"input": "0.80", "cache_read": "0.20", "output": "3.20"}
_NOVA_MICRO: Final = {"input": "0.035", "cache_read": "0.00875", "output": "0.14"}
_DEEPSEEK: Final = {"input": "0.28", "cache_read": "0.028", "output": "0.42"}
_LLAMA: Final = {"input": "0.13", "output": "0.40"}
_SONAR: Final = {"input": "1", "output": "1", "request": "0.005"}
BILLS: Final = (
    Bill(
        "Bedrock, Claude",
        bedrock(44, 512, read=9_000, write=3_000),
        _SONNET,
        ((44, "3"), (9_000, "0.30"), (3_000, "3.75"), (512, "15")),
        "0.021762",
    ),
    Bill(
        "Bedrock, Nova Pro",
        bedrock(1_250, 480, read=750),
        _NOVA_PRO,
        ((1_250, "0.80"), (750, "0.20"), (480, "3.20")),
        "0.002686",
    ),
    Bill(
        "Bedrock, Nova Micro, five decimals of a price",
        bedrock(3, 1, read=1),
        _NOVA_MICRO,
        ((3, "0.035"), (1, "0.00875"), (1, "0.14")),
        "0.00000025375",
    ),
    Bill(
        "OpenRouter, DeepSeek",
        chat(6_400, 1_280, cached=6_144),
        _DEEPSEEK,
        ((256, "0.28"), (6_144, "0.028"), (1_280, "0.42")),
        "0.000781312",
    ),
    Bill("OpenRouter, Llama", chat(777, 333), _LLAMA, ((777, "0.13"), (333, "0.40")), "0.00023421"),
    Bill(
        "Perplexity, a fee per request",
        chat(14, 420),
        _SONAR,
        ((14, "1"), (420, "1")),
        "0.005434",
        fee="0.005",
    ),
)
