"""One meaning per field, whatever the source: steps that change a valid record in place. Pure."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Final

from ingestion.records import FailureClass, Operation, RequestRecord

ERROR_MESSAGE_BYTES: Final = 1024
GATEWAY_CACHE: Final = "gateway_cache"  # metadata key; "hit" = answered from the gateway's own cache
OPERATION_RAW: Final = "operation_raw"  # metadata key of an operation that we do not know
CANCELLED: Final = "client_cancelled"
PROVIDERS: Final = {
    "aws.bedrock": "aws",
    "bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure_ai": "azure",
    "gcp.gemini": "google",
    "gemini": "google",
    "gcp.vertex_ai": "google-vertex",
    "vertex_ai": "google-vertex",
    "gcp.gen_ai": "google-vertex",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
OPERATIONS: Final = {operation.value: operation.value for operation in Operation} | {
    "completion": Operation.CHAT.value,
    "responses": Operation.CHAT.value,
    "generate_content": Operation.CHAT.value,
    "embedding": Operation.EMBEDDINGS.value,
}
_QUANTUM: Final = Decimal(1).scaleb(-12)
_NAMES: Final = ("virtual_model", "user", "user_email", "virtual_account", "team", "error_type", "trace_id", "span_id")
_names: Final = attrgetter(*_NAMES)
_TIMEOUT: Final = re.compile("timeout|timed.?out", re.IGNORECASE)


def empty_is_unknown(record: RequestRecord) -> None:
    """An empty name is no name."""
    if "" in _names(record):
        for field in _NAMES:
            if getattr(record, field) == "":
                setattr(record, field, None)


def name_model(record: RequestRecord) -> None:
    """Provider ids of one spelling, models without provider prefix, virtual models only where they differ."""
    provider, model = record.provider or None, record.model or None
    if provider and model and model.startswith(provider) and model[len(provider) : len(provider) + 1] == "/":
        model = model[len(provider) + 1 :] or model
    record.provider, record.model = provider and provider_id(provider), model
    if record.virtual_model == model:
        record.virtual_model = None
    tier = record.service_tier
    record.service_tier = tier.lower() if tier else None


@lru_cache(maxsize=4096)
def provider_id(name: str) -> str:
    """The lower-case id of a provider, aliases resolved."""
    lowered = name.lower()
    return PROVIDERS.get(lowered, lowered)


def name_operation(record: RequestRecord) -> None:
    """Operations of the closed list; the original text of others goes to metadata."""
    known = OPERATIONS.get(record.operation)
    if known is None:
        record.metadata = {**record.metadata, OPERATION_RAW: record.operation} if record.operation else record.metadata
        known = Operation.OTHER.value
    record.operation = known


def keep_errors_of_failures(record: RequestRecord) -> None:
    """Error messages belong to failures, are at most 1 KiB of UTF-8 and hold no NUL or half surrogate."""
    message = record.error_message
    if message is not None:
        record.error_message = error_text(message) if failed(record) else None


def error_text(message: str) -> str | None:
    """A message cut to 1 KiB on a character boundary; None when nothing is left."""
    clean = message.replace("\0", "�").encode("utf-8", "replace")[:ERROR_MESSAGE_BYTES]
    return clean.decode("utf-8", "ignore") or None


def keep_ttft_of_streams(record: RequestRecord) -> None:
    """A time to first token is kept for streams, inside the latency: sources send it for other calls too."""
    ttft = record.ttft_ms
    if ttft is not None:
        latency = record.latency_ms
        sound = record.streaming is True and latency is not None and 0 < ttft < latency
        record.ttft_ms = ttft if sound else None


def drop_zero_units(record: RequestRecord) -> None:
    """None of a unit is the same as not naming it."""
    if 0 in record.units.values():
        record.units = {name: count for name, count in record.units.items() if count}


def include_cached_tokens(record: RequestRecord) -> None:
    """More cached than input tokens: the source counts them apart, so they are added. The pipeline flags the row."""
    if counts_cache_apart(record):
        record.input_tokens = sum(filter(None, (record.input_tokens, *_cached(record))))


def counts_cache_apart(record: RequestRecord) -> bool:
    """Whether the cached tokens cannot be a part of the input tokens."""
    if record.input_tokens is None or not (record.cache_read_tokens or record.cache_write_tokens):
        return False
    return sum(filter(None, _cached(record))) > record.input_tokens


def _cached(record: RequestRecord) -> tuple[int | None, int | None]:
    return record.cache_read_tokens, record.cache_write_tokens


def keep_real_costs(record: RequestRecord) -> None:
    """A reported 0 with tokens, or on a failure, means that the source does not know; others get twelve decimals."""
    cost = record.reported_cost_usd
    if cost is None:
        return
    if not cost and (failed(record) or record.input_tokens or record.output_tokens):
        record.reported_cost_usd = None
    else:
        record.reported_cost_usd = cost.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)


def failed(record: RequestRecord) -> bool:
    """Failed := status of 400 or more, or an error type."""
    return record.error_type is not None or (record.status_code or 0) >= 400


def error_type(record: RequestRecord) -> str | None:
    """The error type of a failed request: what the source says, else its status; None of the others."""
    if record.error_type is not None or not failed(record):
        return record.error_type
    return f"http_{record.status_code}"


@lru_cache(maxsize=4096)
def failure_class(status_code: int | None, error_type: str | None) -> FailureClass:
    """The one class of a failed request; first match in the order of the classes."""
    if status_code == 499 or error_type == CANCELLED:
        return FailureClass.CANCELLED
    if status_code in (408, 504) or (error_type is not None and _TIMEOUT.search(error_type)):
        return FailureClass.TIMEOUT
    if status_code == 429:
        return FailureClass.RATE_LIMITED
    if status_code is None or status_code < 400:
        return FailureClass.OTHER
    return FailureClass.CLIENT if status_code < 500 else FailureClass.SERVER


STEPS: Final[tuple[Callable[[RequestRecord], None], ...]] = (
    empty_is_unknown,
    name_model,
    name_operation,
    keep_errors_of_failures,
    keep_ttft_of_streams,
    drop_zero_units,
    include_cached_tokens,
    keep_real_costs,
)
