"""Observations of Langfuse: exports to blob storage (snake case) and of the pages and the API (camel case).

Counted are generations and embeddings; other observations are no calls to a model. Latencies are taken from the times:
exports give them in seconds or milliseconds, depending on the age of the integration.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from ingestion.formats.base import Format
from ingestion.formats.errors import status_of
from ingestion.formats.exports.base import Export, any_format, metadata
from ingestion.formats.exports.row import Row
from ingestion.formats.langfuse.words import cost, counts
from ingestion.formats.values import mapping_of
from ingestion.records import Code, Operation, RejectedError, RequestRecord
from ingestion.usage import units

_READS: Final = frozenset(
    {
        *("id", "trace_id", "type", "start_time", "end_time", "completion_start_time", "provided_model_name", "model"),
        *("user_id", "metadata", "tags", "trace_tags", "environment", "usage_details", "cost_details", "total_cost"),
        *("level", "status_message", "latency", "time_to_first_token", "usage"),
        *("input_usage", "prompt_tokens", "output_usage", "completion_tokens"),
    }
)
_DROPS: Final = frozenset({"input", "output", "tool_calls", "tool_definitions", "model_parameters"})
_OPERATIONS: Final = {"GENERATION": Operation.CHAT, "EMBEDDING": Operation.EMBEDDINGS}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TRACE: Final = re.compile("[0-9a-f]{32}")
_SPAN: Final = re.compile("[0-9a-f]{16}")


@lru_cache(maxsize=1024)  # columns repeat in every row
def snake(name: str) -> str:
    """UsageDetails -> usage_details."""
    return _HUMP.sub("_", name).lower()


def _record(row: Row) -> RequestRecord | None:
    started_at = row.instant("start_time")
    if started_at is None:
        raise RejectedError(Code.MISSING, "start_time", "start_time is missing.")
    model = row.text("provided_model_name", "model")
    kind = row.text("type") or ("GENERATION" if model else "SPAN")
    operation = _OPERATIONS.get(kind.upper())
    if operation is None:
        return None
    record = RequestRecord(
        request_id="",
        started_at=started_at,
        model=model,
        user=row.text("user_id"),
        metadata=metadata(
            hit=False,
            attached=mapping_of(row.loose("metadata")),
            tags=row.loose("tags", "trace_tags"),
            environment=row.text("environment"),
        ),
        reported_cost_usd=_cost(row),
        operation=operation.value,
        trace_id=row.text("trace_id"),
    )
    _set_identity(record, row)
    _set_times(record, row)
    _set_tokens(record, row)
    _set_status(record, row)
    return record


def _set_identity(record: RequestRecord, row: Row) -> None:
    """Observations made of spans have the identity of their span: sent to the portal as well, they count once."""
    own, trace = row.identity("id"), record.trace_id or ""
    if _SPAN.fullmatch(own) and _TRACE.fullmatch(trace):
        record.request_id, record.span_id = f"{trace}:{own}", own
    else:
        record.request_id = own


def _set_times(record: RequestRecord, row: Row) -> None:
    started_at, ended_at = record.started_at, row.instant("end_time")
    first = row.instant("completion_start_time")
    if ended_at is not None and ended_at >= started_at:
        record.latency_ms = (ended_at - started_at).total_seconds() * 1000
    if first is not None:
        record.streaming = True
        record.ttft_ms = (first - started_at).total_seconds() * 1000 if first > started_at else None


def _set_tokens(record: RequestRecord, row: Row) -> None:
    """Disjoint buckets; where only sums are exported, those."""
    details = row.mapping("usage_details") or row.mapping("usage")
    told = _counted(details)
    for field, count in counts(told).items():
        setattr(record, field, count)
    record.units, record.usage = units(told), told or None
    if record.input_tokens is None and record.output_tokens is None:
        record.input_tokens = row.whole("input_usage", "prompt_tokens")
        record.output_tokens = row.whole("output_usage", "completion_tokens")


def _counted(details: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of tokens, also where 64-bit numbers are text. The older usage object may count characters or images."""
    if details.get("unit") not in (None, "TOKENS"):
        return {}
    return {
        name: int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,15}", value, re.ASCII) else value
        for name, value in details.items()
        if name != "unit"
    }


def _cost(row: Row) -> Decimal | None:
    total = row.decimal("total_cost")
    return cost(row.mapping("cost_details")) if total is None else total


def _set_status(record: RequestRecord, row: Row) -> None:
    message = row.text("status_message")
    if (row.text("level") or "").upper() != "ERROR":
        record.status_code = 200
        return
    record.status_code, record.error_type, record.error_message = status_of(message, head=True), "error", message


LANGFUSE: Final[Format] = any_format(
    Export(
        "langfuse",
        "an export of Langfuse's observations",
        (("id", "trace_id", "start_time"), ("id", "traceId", "startTime")),
        _READS,
        _record,
        _DROPS,
        spelling=snake,
    )
)
