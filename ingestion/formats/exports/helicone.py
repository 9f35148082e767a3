"""Requests of Helicone, from `@helicone/export` or its query API. Times are milliseconds, costs US dollars."""

from typing import Final

from ingestion.formats.base import Format
from ingestion.formats.exports.base import Export, any_format, include_cache, metadata, said_operation
from ingestion.formats.exports.row import Row
from ingestion.normalisation import CANCELLED
from ingestion.records import Code, RejectedError, RequestRecord

_READS: Final = frozenset(
    {
        *("request_id", "response_id", "request_created_at", "response_created_at", "response_status"),
        *("response_model", "request_model", "model", "model_override", "provider", "request_user_id"),
        *("request_properties", "properties", "prompt_tokens", "completion_tokens", "total_tokens"),
        *("prompt_cache_read_tokens", "prompt_cache_write_tokens", "prompt_audio_tokens", "completion_audio_tokens"),
        *("delay_ms", "time_to_first_token", "costUSD", "request_path", "cache_reference_id"),
    }
)
_DROPS: Final = frozenset(
    {
        *("request_body", "response_body", "request_prompt", "response_prompt", "llmSchema"),
        # Addresses that open bodies, and where people are.
        *("signed_body_url", "asset_urls", "asset_ids", "assets", "country_code"),
    }
)
# What Helicone writes in place of a status.
_CANCELLED: Final = "-3"
_PENDING: Final = "-2"


def _record(row: Row) -> RequestRecord:
    started_at = row.instant("request_created_at")
    if started_at is None:
        raise RejectedError(Code.MISSING, "request_created_at", "request_created_at is missing.")
    record = RequestRecord(
        request_id=row.identity("request_id", "response_id"),
        started_at=started_at,
        model=row.text("response_model", "request_model", "model"),
        provider=(row.text("provider") or "").lower() or None,
        virtual_model=row.text("model_override"),
        user=row.text("request_user_id"),
        metadata=metadata(hit=_of_gateway_cache(row), properties=row.loose("request_properties", "properties")),
        input_tokens=row.whole("prompt_tokens"),
        output_tokens=row.whole("completion_tokens"),
        cache_read_tokens=row.whole("prompt_cache_read_tokens"),
        cache_write_tokens=row.whole("prompt_cache_write_tokens"),
        audio_input_tokens=row.whole("prompt_audio_tokens"),
        audio_output_tokens=row.whole("completion_audio_tokens"),
        reported_cost_usd=row.decimal("costUSD"),
        operation=said_operation(row.text("request_path")),
    )
    include_cache(record, row.whole("total_tokens"))
    _set_times(record, row)
    _set_status(record, row.text("response_status"))
    return record


def _of_gateway_cache(row: Row) -> bool:
    # The empty reference is an id of zeros.
    return bool((row.text("cache_reference_id") or "").strip("0-"))


def _set_times(record: RequestRecord, row: Row) -> None:
    """Only streams have a time to first token there: one inside the latency makes a request a stream."""
    ended_at, record.latency_ms = row.instant("response_created_at"), row.number("delay_ms")
    if record.latency_ms is None and ended_at is not None and ended_at >= record.started_at:
        record.latency_ms = (ended_at - record.started_at).total_seconds() * 1000
    ttft = row.number("time_to_first_token")
    if ttft is not None and 0 < ttft < (record.latency_ms or 0):
        record.ttft_ms, record.streaming = ttft, True


def _set_status(record: RequestRecord, status: str | None) -> None:
    if status == _CANCELLED:
        record.status_code, record.error_type = 499, CANCELLED
    elif status is not None and status.isdecimal() and 100 <= int(status) <= 599:
        record.status_code = int(status)
        record.error_type = f"http_{status}" if record.status_code >= 400 else None
    elif status not in (None, _PENDING):
        record.error_type = "error"


HELICONE: Final[Format] = any_format(
    Export(
        "helicone",
        "an export of Helicone",
        (("request_created_at", "response_status"), ("request_created_at", "delay_ms")),
        _READS,
        _record,
        _DROPS,
    )
)
