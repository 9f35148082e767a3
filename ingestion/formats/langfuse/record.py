"""The canonical record of what is said about a call and about its trace. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ingestion.formats.errors import status_of
from ingestion.formats.langfuse.events import instant
from ingestion.formats.langfuse.merging import METADATA, State, metadata_of, value_of
from ingestion.formats.mapping import PLAIN, Reading, apply
from ingestion.formats.values import shortened
from ingestion.records import RequestRecord


def record_of(request_id: str, state: State, trace: State, reading: Reading = PLAIN) -> RequestRecord:
    """The record of a call, finished or given up. Raises RejectedError for a value of a rule that does not fit."""
    start, cost = value_of(state, "start"), value_of(state, "reported_cost_usd")
    record = RequestRecord(
        request_id=request_id,
        # Nobody said when it began: the earliest that is known of it.
        started_at=instant(min(stamp for stamp, *_ in state.values()) if start is None else start),
        model=value_of(state, "model"),
        user=value_of(trace, "user") or value_of(state, "user"),
        metadata=shortened(metadata_of(trace) | metadata_of(state), first="tags"),
        operation=value_of(state, "operation"),
        trace_id=value_of(state, "trace_id"),
        reported_cost_usd=None if cost is None else Decimal(cost),
        units=value_of(state, "units") or {},
        usage=value_of(state, "usage"),
        **(value_of(state, "tokens") or {}),
    )
    _set_times(record, state)
    _set_outcome(record, state)
    if reading.rules:
        apply(record, reading.rules, _looking_into(record, state, trace))
    return record


def _set_times(record: RequestRecord, state: State) -> None:
    start, end, first = (value_of(state, name) for name in ("start", "end", "first_token"))
    if start is not None and end is not None and end >= start:
        record.latency_ms = (end - start) / 1000
    if first is not None:
        record.streaming = True
        record.ttft_ms = (first - start) / 1000 if start is not None and first > start else None


def _set_outcome(record: RequestRecord, state: State) -> None:
    if value_of(state, "is_error"):
        message = value_of(state, "error_message")
        record.error_type, record.error_message = "error", message
        record.status_code = status_of(message, head=True)
    elif value_of(state, "end") is not None:
        record.status_code = 200  # of a call that never ended nobody knows


def _looking_into(record: RequestRecord, state: State, trace: State) -> Any:  # noqa: ANN401 - as `mapping.apply` takes it
    """Looks up `userId`, `model`, `traceId`, `environment`, `metadata.KEY` and `trace.metadata.KEY`."""
    named: Mapping[str, Any] = {
        "userId": record.user,
        "model": record.model,
        "traceId": record.trace_id,
        "sessionId": record.metadata.get("session_id"),
    }

    def look_up(path: str) -> Any:  # noqa: ANN401
        if path.startswith("trace." + METADATA):
            return value_of(trace, path.removeprefix("trace."))
        if path.startswith(METADATA):
            return record.metadata.get(path.removeprefix(METADATA))
        return named.get(path)

    return look_up
