"""Single requests as they leave the portal. Never in them: prompts, answers, keys."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from analytics.catalog.dimensions import UNASSIGNED
from analytics.exports.cells import instant, usd_number
from ingestion.models import LLMRequest
from metricsportal.lib import csv_stream
from metricsportal.lib.money import usd_text

COLUMNS: Final = (
    "request_id",
    "started_at",
    "model",
    "virtual_model",
    "provider",
    "team",
    "user",
    "virtual_account",
    "status_code",
    "error_type",
    "streaming",
    "attempt",
    "input_tokens",
    "output_tokens",
    "units",
    "latency_ms",
    "ttft_ms",
    "itl_ms",
    "tpot_ms",
    "cost_usd",
    "cost_state",
    "metadata",
)
TOKENS: Final = (
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


def row(one: LLMRequest) -> dict[str, Any]:
    """One request of a list. Absent values are null, money is text."""
    return {
        "request_id": one.request_id,
        "started_at": instant(one.started_at),
        "model": one.model.name if one.model else None,
        "virtual_model": one.virtual_model.name if one.virtual_model else None,
        "provider": (one.model.provider or None) if one.model else None,
        "team": one.team.name if one.team else UNASSIGNED,
        "user": one.user.name if one.user else None,
        "virtual_account": one.virtual_account.name if one.virtual_account else None,
        "status_code": one.status_code,
        "error_type": one.error_type.name if one.error_type else None,
        "streaming": one.streaming,
        "attempt": one.attempt,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "units": one.units,
        "latency_ms": _milliseconds(one.latency_us),
        "ttft_ms": _milliseconds(one.ttft_us),
        "itl_ms": _milliseconds(one.itl_us),
        "tpot_ms": _milliseconds(one.tpot_us),
        "cost_usd": usd_text(one.cost),
        "cost_state": one.cost_state,
        "metadata": one.metadata,
    }


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def detail(one: LLMRequest, trace: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Everything kept of one request, with the requests of its trace."""
    return row(one) | {
        "received_at": instant(one.received_at),
        "operation": one.operation,
        "service_tier": one.service_tier,
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "failed": one.failed,
        "failure_class": one.failure_class,
        "error_message": one.error_message,
        "team_attribution": one.attribution,
        "user_email": (one.user.email or None) if one.user else None,
        "tokens": {name: getattr(one, name) for name in TOKENS},
        "token_anomaly": one.token_anomaly,
        "list_cost_usd": usd_text(one.list_cost),
        "contracted_cost_usd": usd_text(one.contracted_cost),
        "reported_cost_usd": usd_text(one.reported_cost),
        "price_book_version": one.price_book_version,
        "trace": [{name: _plain(value) for name, value in other.items()} for other in trace],
    }


def _plain(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else value


def csv_pieces(rows: Iterable[LLMRequest]) -> Iterator[bytes]:
    """A CSV file; units and metadata are one cell of JSON each."""
    return (line.encode() for line in csv_stream.lines(COLUMNS, (_cells(one) for one in rows)))


def _cells(one: LLMRequest) -> list[csv_stream.Cell]:
    cells = row(one) | {
        "cost_usd": usd_number(one.cost),
        "units": _json_cell(one.units),
        "metadata": _json_cell(one.metadata),
    }
    return [cells[name] for name in COLUMNS]


def _json_cell(value: dict[str, Any] | None) -> str | None:
    return msgspec.json.encode(value, order="sorted").decode() if value else None


def ndjson_pieces(rows: Iterable[LLMRequest]) -> Iterator[bytes]:
    """A request per line; the last line counts them and proves that the file is whole."""
    count = 0
    for one in rows:
        count += 1
        yield msgspec.json.encode(row(one)) + b"\n"
    yield msgspec.json.encode({"meta": {"row_count": count}}) + b"\n"
