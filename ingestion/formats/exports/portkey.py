"""The log export of Portkey, JSON Lines. Times are milliseconds, costs US **cents**."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from ingestion import usage
from ingestion.formats.base import Format
from ingestion.formats.exports.base import Export, include_cache, json_format, metadata, said_operation
from ingestion.formats.exports.row import Row
from ingestion.formats.values import mapping_of, text_of
from ingestion.records import Code, RejectedError, RequestRecord

_READS: Final = frozenset(
    {
        *("id", "trace_id", "span_id", "created_at", "ai_model", "ai_org", "config", "virtual_key", "metadata"),
        *("metadata.key", "metadata.value", "req_units", "res_units", "total_units", "response", "response.body"),
        *("response_time", "stream_mode", "response_status_code", "is_success", "cost", "cost_currency"),
        *("request_url", "retry_success_count", "cache_status"),
    }
)
_CENTS: Final = 100
_USER: Final = "_user"  # metadata key


class _Answer(msgspec.Struct, gc=False):
    """What is read of an answer: its text is skipped unread."""

    usage: Any = None
    body: msgspec.Raw = msgspec.Raw()


_answer: Final = msgspec.json.Decoder(_Answer)


def _record(row: Row) -> RequestRecord:
    started_at = row.instant("created_at")
    if started_at is None:
        raise RejectedError(Code.MISSING, "created_at", "created_at is missing.")
    about = _attached(row)
    hit = (row.text("cache_status") or "").upper() in ("HIT", "SEMANTIC HIT")
    retries = row.whole("retry_success_count")
    record = RequestRecord(
        request_id=row.identity("id"),
        started_at=started_at,
        model=row.text("ai_model"),
        provider=(row.text("ai_org") or "").lower() or None,
        virtual_model=row.text("config"),
        user=text_of(about.get(_USER)),
        virtual_account=row.text("virtual_key"),
        metadata=metadata(hit=hit, attached={key: value for key, value in about.items() if key != _USER}),
        latency_ms=row.number("response_time"),
        streaming=row.truth("stream_mode"),
        reported_cost_usd=_dollars(row),
        operation=said_operation(row.text("request_url")),
        attempt=None if retries is None else retries + 1,
        trace_id=row.text("trace_id"),
        span_id=row.text("span_id"),
    )
    _set_tokens(record, row)
    _set_status(record, row)
    return record


def _attached(row: Row) -> Mapping[str, Any]:
    """Metadata of a request: an object, or its keys in one list and its values in another."""
    about = mapping_of(row.loose("metadata"))
    keys, values = row.loose("metadata.key") or about.get("key"), row.loose("metadata.value") or about.get("value")
    if isinstance(keys, list) and isinstance(values, list):
        return {key: value for key, value in zip(keys, values, strict=False) if isinstance(key, str)}
    return about


def _dollars(row: Row) -> Decimal | None:
    cost, currency = row.decimal("cost"), row.text("cost_currency")
    return None if cost is None or (currency or "USD").upper() != "USD" else cost / _CENTS


def _set_tokens(record: RequestRecord, row: Row) -> None:
    """The units of the row, and what the provider's usage object says where the answer was exported."""
    record.input_tokens, record.output_tokens = row.whole("req_units"), row.whole("res_units")
    told = row.part("response.body", _usage) or row.part("response", _usage) or {}
    if any(recognises(told) for recognises, _ in usage.SHAPES):
        # The usage object knows whether its input includes the cached tokens.
        for field, count in usage.counts(told).items():
            setattr(record, field, count)
        record.units, record.usage = usage.units(told), dict(told)
    else:
        include_cache(record, row.whole("total_units"))


def _usage(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - bytes, or plain values
    """The usage object of an answer, wherever the answer is wrapped."""
    try:
        if isinstance(value, msgspec.Raw):
            answer = _answer.decode(value)
            found = answer.usage or (_answer.decode(answer.body).usage if bytes(answer.body) else None)
        else:
            found = mapping_of(value).get("usage") or mapping_of(mapping_of(value).get("body")).get("usage")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}  # text, or cut: it has no usage
    return mapping_of(found)


def _set_status(record: RequestRecord, row: Row) -> None:
    status, success = row.whole("response_status_code"), row.truth("is_success")
    record.status_code = status or (200 if success else None)
    if success is False or (success is None and (status or 0) >= 400):
        record.error_type = f"http_{status}" if status else "error"


PORTKEY: Final[Format] = json_format(
    Export(
        "portkey",
        "a log export of Portkey",
        tuple(("created_at", name) for name in ("ai_model", "ai_org", "req_units")),
        _READS,
        _record,
    )
)
