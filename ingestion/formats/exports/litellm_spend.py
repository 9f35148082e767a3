"""Rows of LiteLLM's table LiteLLM_SpendLogs: `/spend/logs` in JSON, or the table as CSV.

A row is put into the words of the callback's payload, so that both are read by the same rules.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ingestion.formats import litellm
from ingestion.formats.base import Format
from ingestion.formats.exports.base import Export, any_format
from ingestion.formats.exports.row import Row
from ingestion.formats.values import mapping_of, text_of
from ingestion.records import Code, RejectedError, RequestRecord

_READS: Final = frozenset(
    {
        *("request_id", "call_type", "api_key", "spend", "total_tokens", "prompt_tokens", "completion_tokens"),
        *("startTime", "endTime", "completionStartTime", "request_duration_ms", "model", "model_id", "model_group"),
        *("custom_llm_provider", "user", "metadata", "cache_hit", "request_tags", "team_id", "end_user"),
        *("session_id", "status"),
    }
)
_DROPS: Final = frozenset({"messages", "response", "proxy_server_request", "requester_ip_address", "cache_key"})


def _record(row: Row) -> RequestRecord:
    started, ended = row.instant("startTime"), row.instant("endTime")
    if started is None:
        raise RejectedError(Code.MISSING, "startTime", "startTime is missing.")
    about, first_chunk = mapping_of(row.loose("metadata")), row.instant("completionStartTime")
    status = row.text("status") or text_of(about.get("status"))
    # Without a stream LiteLLM repeats the end as the time of the first chunk.
    streamed = None if first_chunk is None or ended is None else first_chunk < ended
    record = litellm.record_of(
        {
            "litellm_call_id": row.identity("request_id"),
            "trace_id": row.text("session_id"),
            "call_type": row.text("call_type"),
            "cache_hit": (row.text("cache_hit") or "").lower() == "true",
            "stream": streamed,
            "status": status,
            "custom_llm_provider": row.text("custom_llm_provider"),
            "startTime": started.timestamp(),
            "endTime": _seconds(ended),
            "completionStartTime": _seconds(first_chunk),
            "model": row.text("model"),
            "model_group": row.text("model_group"),
            "model_id": row.text("model_id"),
            "metadata": _about(row, about),
            "response_cost": _cost(row),
            "cost_breakdown": about.get("cost_breakdown"),
            "prompt_tokens": row.whole("prompt_tokens"),
            "completion_tokens": row.whole("completion_tokens"),
            "request_tags": row.loose("request_tags"),
            "end_user": row.text("end_user"),
            "error_information": about.get("error_information"),
        }
    )
    if streamed is not True:
        record.streaming = None if streamed is None or status == "failure" else False
    if record.latency_ms is None:
        record.latency_ms = row.number("request_duration_ms")
    return record


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _cost(row: Row) -> float | None:
    spend = row.decimal("spend")
    return None if spend is None else float(spend)


def _about(row: Row, about: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a payload: what the row says in columns of its own fills what its metadata leaves open."""
    columns = {
        "user_api_key_user_id": row.text("user"),
        "user_api_key_team_id": row.text("team_id"),
        "user_api_key_hash": row.text("api_key"),
        # Payloads tell by this that a failure without a target came through the proxy; rows always did.
        "user_api_key_request_route": row.text("call_type") if row.has("model_id") else None,
        "usage_object": about.get("additional_usage_values"),
    }
    said = {key: value for key, value in about.items() if value not in (None, "", {})}
    return columns | said


LITELLM_SPEND: Final[Format] = any_format(
    Export(
        "litellm-spend",
        "LiteLLM's spend log",
        (("request_id", "startTime", "spend"),),
        _READS,
        _record,
        _DROPS,
    )
)
