"""What can be called, how calls end and what they cost: invented figures of well-known models, never measurements."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Caching(StrEnum):
    """How a provider caches prompts."""

    NONE = "none"
    AUTOMATIC = "automatic"
    """Reads only, in blocks of 128 tokens, for prompts of more than 1,024."""
    EXPLICIT = "explicit"
    """The caller marks what to keep: reads and writes."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: medians of an idle provider in milliseconds; `prefill_ms` per 1,000 uncached input tokens."""

    name: str
    provider: str
    ttft_ms: float
    gap_ms: float
    prefill_ms: float
    caching: Caching
    context: int
    reasoning: float | None = None
    """Share of calls that reason; None: the model does not report reasoning tokens."""
    embeds: bool = False


MODELS: Final = (
    Model("gpt-5", "openai", 950, 11, 30, Caching.AUTOMATIC, 270_000, reasoning=0.7),
    Model("gpt-5-mini", "openai", 520, 7.5, 18, Caching.AUTOMATIC, 270_000, reasoning=0.35),
    Model("text-embedding-3-small", "openai", 55, 0, 12, Caching.NONE, 8_191, embeds=True),
    Model("claude-sonnet-4-5", "anthropic", 1_050, 14.5, 40, Caching.EXPLICIT, 195_000),
    Model("claude-haiku-4-5", "anthropic", 480, 7, 22, Caching.EXPLICIT, 195_000),
    Model("gemini-2.5-pro", "google", 1_300, 8.5, 26, Caching.AUTOMATIC, 900_000, reasoning=0.6),
    Model("gemini-2.5-flash", "google", 390, 5, 14, Caching.AUTOMATIC, 900_000),
    Model("qwen3-coder-30b", "vllm", 170, 16, 60, Caching.NONE, 120_000),
)
UNPRICED: Final = "qwen3-coder-30b"
"""Runs on the company's own machines; nobody has entered a price for it."""


@dataclass(frozen=True, slots=True)
class VirtualModel:
    """An alias with the weights of its targets, before and after the routing change."""

    name: str
    before: dict[str, float]
    after: dict[str, float]


_FAST: Final = {"gpt-5-mini": 50.0, "claude-haiku-4-5": 30.0, "gemini-2.5-flash": 20.0}
_CODE: Final = {"claude-sonnet-4-5": 84.0, "gpt-5": 14.0, UNPRICED: 2.0}
VIRTUAL_MODELS: Final = (
    VirtualModel(
        "assistant-smart",
        {"claude-sonnet-4-5": 65.0, "gpt-5": 35.0},
        {"claude-sonnet-4-5": 20.0, "gpt-5": 45.0, "gemini-2.5-pro": 35.0},
    ),
    VirtualModel("assistant-fast", _FAST, _FAST),
    VirtualModel("code-assist", _CODE, _CODE),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ends. `rate`: its everyday share; `millis`: median duration and its log-normal spread."""

    status: int
    error: str | None = None
    message: str | None = None
    rate: float = 0.0
    millis: tuple[float, float] = (0.0, 0.0)


OUTCOMES: Final = (
    Outcome(200),
    Outcome(429, "RateLimitError", "Rate limit reached: too many tokens per minute.", 0.0015, (45, 0.5)),
    Outcome(400, "ContextWindowExceededError", "The prompt is longer than the model's context.", 0.001, (130, 0.5)),
    Outcome(400, "ContentPolicyViolationError", "Refused by the provider's content filter.", 0.0012, (420, 0.6)),
    Outcome(401, "AuthenticationError", "The virtual key has expired.", 0.0004, (9, 0.4)),
    Outcome(500, "InternalServerError", "The provider answered with an internal error.", 0.0012, (1_900, 0.8)),
    Outcome(503, "ServiceUnavailableError", "The provider is overloaded.", 0.0006, (800, 0.7)),
    Outcome(504, "Timeout", "No answer within 60 seconds.", 0.0005, (60_050, 0.001)),
    Outcome(499, "client_cancelled", "The caller closed the connection.", 0.005),
)
OK, RATE_LIMITED, _TOO_LONG, _FILTERED, NO_KEY, INTERNAL, OVERLOADED, TIMED_OUT, CANCELLED = range(len(OUTCOMES))
"""Positions in OUTCOMES."""

PRICES: Final = {
    "gpt-5": {"input": "1.25", "cache_read": "0.125", "output": "10"},
    "gpt-5-mini": {"input": "0.25", "cache_read": "0.025", "output": "2"},
    "text-embedding-3-small": {"input": "0.02"},
    "claude-sonnet-4-5": {
        "input": "3",
        "cache_read": "0.3",
        "cache_write": "3.75",
        "cache_write_1h": "6",
        "output": "15",
    },
    "claude-haiku-4-5": {
        "input": "1",
        "cache_read": "0.1",
        "cache_write": "1.25",
        "cache_write_1h": "2",
        "output": "5",
    },
    "gemini-2.5-pro": {"input": "1.25", "cache_read": "0.125", "output": "10"},
    "gemini-2.5-flash": {"input": "0.3", "cache_read": "0.03", "output": "2.5"},
}
"""US dollars per million tokens at the beginning of the period."""
LONG_PROMPT_PRICES: Final = {"gemini-2.5-pro": {"input": "2.5", "cache_read": "0.25", "output": "15"}}
"""The same above LONG_PROMPT input tokens."""
LONG_PROMPT: Final = 200_000
BATCH_PRICES: Final = {
    "gpt-5-mini": {"input": "0.125", "output": "1"},
    "gemini-2.5-flash": {"input": "0.15", "output": "1.25"},
}
"""The same in the service tier `batch`."""
CHANGED_PRICES: Final = {"gpt-5-mini": {"input": "0.2", "cache_read": "0.02", "output": "1.6"}}
"""The same from the price change in the middle of the period on."""
