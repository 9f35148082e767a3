"""The canonical record of one request and the closed list of reasons to refuse one. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec


class Code(StrEnum):
    """Why a record was refused. Closed: counted, documented, told to the sender."""

    NOT_AN_OBJECT = "not_an_object"
    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN_FIELD = "unknown_field"
    REQUEST_ID = "request_id"
    TIME_WINDOW = "time_window"
    NEGATIVE = "negative"
    TOO_LONG = "too_long"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refused record: where it stood in its batch, which field, which rule, and a sentence for people."""

    index: int
    code: Code
    field: str
    message: str


class RejectedError(ValueError):
    """Raised while one record is read; its batch goes on."""

    def __init__(self, code: Code, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class Operation(StrEnum):
    """What kind of call it was."""

    CHAT = "chat"
    TEXT_COMPLETION = "text_completion"
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"
    IMAGE_GENERATION = "image_generation"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"
    MODERATION = "moderation"
    OTHER = "other"


class FailureClass(StrEnum):
    """Exactly one per failed request; first match in this order, see docs/definitions.md."""

    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    RATE_LIMITED = "429"
    CLIENT = "4xx"
    SERVER = "5xx"
    OTHER = "other"


class CostState(StrEnum):
    """Where a request's cost comes from."""

    COMPUTED = "computed"
    REPORTED = "reported"
    UNPRICED = "unpriced"
    NONE = "none"


class Attribution(StrEnum):
    """Why a request belongs to its team; decided once, when the record arrives."""

    RECORD = "record"
    VIRTUAL_ACCOUNT = "virtual_account"
    USER = "user"
    UNASSIGNED = "unassigned"


TOKEN_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "image_output_tokens",
)
UNIT: Final = "unit:"
"""How the class of what is billed by the piece begins: `unit:web_search`."""
UNIT_NAME: Final = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
# Every count of tokens has its class of that name, and a request has a fee.
_CLASSES: Final = frozenset({field.removesuffix("_tokens") for field in TOKEN_FIELDS} | {"request"})


def is_token_class(text: str) -> bool:
    """Whether a price can be for it: a class of tokens, `request`, or `unit:` with the name of a unit."""
    return text in _CLASSES or (text.startswith(UNIT) and UNIT_NAME.fullmatch(text[len(UNIT) :]) is not None)


class RequestRecord(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """One call from the gateway to one model target, whatever the source. None = the source does not say.

    Token counts are inclusive (cached input tokens are part of input_tokens, reasoning tokens of output_tokens).
    Durations are milliseconds, money is US dollars. `units`: how many of what is billed by the piece. `usage`: the
    provider's own usage object, unread but for the counts that were taken from it; no part of what makes two records
    the same.
    """

    request_id: str
    started_at: datetime
    model: str | None = None
    provider: str | None = None
    virtual_model: str | None = None
    user: str | None = None
    user_email: str | None = None
    virtual_account: str | None = None
    team: str | None = None
    metadata: dict[str, str] = {}
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    units: dict[str, int] = {}
    latency_ms: float | None = None
    ttft_ms: float | None = None
    itl_ms: float | None = None
    streaming: bool | None = None
    status_code: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None
    operation: str = Operation.CHAT.value
    attempt: int | None = None
    trace_id: str | None = None
    span_id: str | None = None
    usage: dict[str, Any] | None = None
