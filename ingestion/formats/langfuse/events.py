"""Batches into events. Prompts and answers are never decoded; what is wrong costs its own event only."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import field

from ingestion.evidence import cleaned
from ingestion.formats import json_body
from ingestion.formats.langfuse.merging import METADATA
from ingestion.formats.langfuse.words import OPERATIONS, cost, counts, without_payloads
from ingestion.formats.values import mapping_of, metadata_of, shortened, text_of
from ingestion.normalisation import error_text
from ingestion.records import Code, RejectedError, RequestRecord
from ingestion.usage import Counts, units
from ingestion.validation import CHECKS, Window, check_metadata, check_texts

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ACTS: Final = ("create", "update")  # in this order, the later one wins at the same instant
_LOG: Final = "sdk-log"


class _Body(msgspec.Struct, gc=False, rename="camel"):
    """What is read of a body: unknown members, among them `input` and `output`, are skipped unread."""

    id: Any = None
    trace_id: Any = None
    type: Any = None
    start_time: Any = None
    end_time: Any = None
    completion_start_time: Any = None
    model: Any = None
    usage: Any = None
    usage_details: Any = None
    cost_details: Any = None
    level: Any = None
    status_message: Any = None
    metadata: Any = None
    environment: Any = None
    tags: Any = None
    session_id: Any = None
    trace_user: Any = field(default=None, name="userId")
    own_user: Any = field(default=None, name="user_id")


class _Envelope(msgspec.Struct, gc=False):
    id: Any = None
    type: Any = None
    timestamp: Any = None
    body: _Body = field(default_factory=_Body)


_decoder: Final = msgspec.json.Decoder(_Envelope)


class Event(msgspec.Struct, gc=False):
    """What one event says about a call or, when `of_trace`, about everything of a trace. Empty fields: nothing."""

    target: str
    of_trace: bool
    stamp: int
    rank: int
    fields: dict[str, Any]


Found = tuple[str, Event | RejectedError | None]
"""Id of an envelope, and its event, why there is none, or None where it is about no call."""


def read(body: bytes, window: Window) -> Iterator[Found]:
    """The events of a batch in their order. Raises MalformedError when the body holds no batch."""
    for value in json_body.elements_of(body, "batch"):
        try:
            envelope = _envelope(value)
        except RejectedError as error:
            yield "", error
            continue
        name = text_of(envelope.id) or ""
        try:
            if not name:
                raise RejectedError(Code.MISSING, "id", "The event has no id.")
            yield name, _event(envelope, window)
        except RejectedError as error:
            yield name, error


def _envelope(value: Any) -> _Envelope:  # noqa: ANN401 - bytes, or values of the lenient reader
    try:
        return _decoder.decode(value) if isinstance(value, msgspec.Raw) else msgspec.convert(value, _Envelope)
    except _UNREADABLE as error:
        raise json_body.rejection_of(error) from error


def _event(envelope: _Envelope, window: Window) -> Event | None:
    stamp = _moment(envelope.timestamp, "timestamp")
    if stamp is None:
        raise RejectedError(Code.MISSING, "timestamp", "The event has no timestamp.")
    kind, act = _kind(envelope)
    if kind == "trace":
        return _of_trace(envelope.body, stamp, _ACTS.index(act))
    if kind not in OPERATIONS:
        return None
    return _of_call(envelope.body, OPERATIONS[kind].value, stamp, _ACTS.index(act), window)


def _kind(envelope: _Envelope) -> tuple[str, str]:
    """`generation-update` -> generation, update. Kinds that nobody knows yet are no calls to a model."""
    name = envelope.type if isinstance(envelope.type, str) else ""
    kind, _, act = name.rpartition("-")
    if name != _LOG and (not kind or act not in _ACTS):
        raise RejectedError(Code.INVALID, "type", "type must be one of Langfuse's, such as generation-create.")
    if kind != "observation":
        return kind, act
    if not isinstance(envelope.body.type, str):
        raise RejectedError(Code.MISSING, "body.type", "body.type is missing.")
    return envelope.body.type.lower(), act


def _moment(value: object, name: str) -> int | None:
    """Microseconds since 1970; None for null and "". Raises RejectedError for what is no instant with an offset."""
    if value is None or value == "":
        return None
    try:
        # Subtraction refuses what has no offset, and the way back what is outside all time in UTC.
        found = (datetime.fromisoformat(value if isinstance(value, str) else "") - EPOCH) // MICROSECOND
        instant(found)
    except (ValueError, TypeError, OverflowError):
        raise RejectedError(Code.INVALID, name, f"{name} must be an ISO 8601 time with an offset.") from None
    return found


def instant(microseconds: int) -> datetime:
    """The instant of so many microseconds since 1970."""
    return EPOCH + microseconds * MICROSECOND


def _of_trace(body: _Body, stamp: int, rank: int) -> Event:
    record = RequestRecord(
        request_id=text_of(body.id) or "",
        started_at=instant(stamp),
        trace_id=text_of(body.id),
        user=text_of(body.trace_user),
        metadata=_metadata(body),
    )
    if not record.request_id:
        raise RejectedError(Code.MISSING, "body.id", "The trace has no id.")
    for check in (check_texts, check_metadata):
        check(record)
    return Event(record.request_id, True, stamp, rank, _said(user=record.user) | _prefixed(record.metadata))


def _metadata(body: _Body) -> dict[str, str]:
    values = {"tags": body.tags, "session_id": body.session_id, "environment": body.environment}
    said = mapping_of(body.metadata)
    # Of a streamed answer of the Responses API the SDK says all that is not its text: nothing that a caller named.
    own = {} if said.get("object") == "response" else said
    return shortened(metadata_of(values | without_payloads(own)), first="tags")


def _of_call(body: _Body, operation: str, stamp: int, rank: int, window: Window) -> Event:
    start = _moment(body.start_time, "body.startTime")
    is_error = isinstance(body.level, str) and body.level.upper() == "ERROR"
    record = RequestRecord(
        request_id=text_of(body.id) or "",
        started_at=instant(stamp if start is None else start),
        trace_id=text_of(body.trace_id),
        model=text_of(body.model),
        user=text_of(body.own_user),
        metadata=_metadata(body),
        # Of calls that did not fail it may be anything, also what a model said.
        error_message=error_text(text_of(body.status_message) or "") if is_error else None,
        reported_cost_usd=_cost(body),
    )
    tokens, told = _counts(body), mapping_of(body.usage_details) or mapping_of(body.usage)
    for name, count in tokens.items():
        setattr(record, name, count)
    record.units = units(told)
    for check in (window.check, *CHECKS):
        check(record)
    fields = _said(
        operation=operation,
        trace_id=record.trace_id,
        model=record.model,
        user=record.user,
        # A creation without a time says that it happens now.
        start=stamp if start is None and not rank else start,
        end=_moment(body.end_time, "body.endTime"),
        first_token=_moment(body.completion_start_time, "body.completionStartTime"),
        is_error=is_error if isinstance(body.level, str) else None,
        error_message=record.error_message,
        tokens=tokens or None,
        units=record.units or None,
        usage=(cleaned(told) if told else None),
        reported_cost_usd=None if record.reported_cost_usd is None else str(record.reported_cost_usd),
    )
    return Event(record.request_id, False, stamp, rank, fields | _prefixed(record.metadata))


def _counts(body: _Body) -> Counts:
    """`usageDetails` before the older `usage`, which may count something else than tokens."""
    found = counts(mapping_of(body.usage_details))
    if found:
        return found
    older = mapping_of(body.usage)
    if older.get("unit") not in (None, "", "TOKENS"):
        return {}
    names = {"promptTokens": "input", "completionTokens": "output"}
    return counts({names.get(name, name): value for name, value in older.items()})


def _cost(body: _Body) -> Decimal | None:
    older = mapping_of(body.usage)
    names = {"inputCost": "input", "outputCost": "output", "totalCost": "total"}
    found = cost(mapping_of(body.cost_details))
    return found if found is not None else cost({names[name]: older[name] for name in names if name in older})


def _said(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _prefixed(metadata: dict[str, str]) -> dict[str, Any]:
    return {METADATA + key: value for key, value in metadata.items()}
