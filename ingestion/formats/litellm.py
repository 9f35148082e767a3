"""LiteLLM's `generic_api` callback: StandardLoggingPayload records. Prompts and answers are never decoded."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import field

from ingestion import usage
from ingestion.formats import json_body
from ingestion.formats.base import UnsupportedError
from ingestion.formats.head import Head
from ingestion.formats.litellm_errors import Failure, failure_of
from ingestion.formats.mapping import PLAIN, Reading, extend
from ingestion.formats.values import mapping_of, metadata_of, shortened, text_of
from ingestion.normalisation import GATEWAY_CACHE, OPERATIONS
from ingestion.records import Code, Operation, RejectedError, RequestRecord

MICROSECOND: Final = 1_000_000
RECORD_BYTES: Final = 2**20
_MOST_COMMAS: Final = 100_000
_TAGS_OF_CLIENT: Final = "User-Agent: "
# Noted by LiteLLM itself in the caller's metadata.
_INTERNAL_METADATA: Final = frozenset({"headers", "used_client_oauth_token", "tags"})
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Payload(msgspec.Struct, gc=False):
    """What is read of a payload: unknown members, among them `messages`, are skipped unread."""

    id: Any = None
    litellm_call_id: Any = None
    trace_id: Any = None
    call_type: Any = None
    cache_hit: Any = None
    stream: Any = None
    status: Any = None
    custom_llm_provider: Any = None
    start_time: Any = field(default=None, name="startTime")
    end_time: Any = field(default=None, name="endTime")
    first_chunk_time: Any = field(default=None, name="completionStartTime")
    model: Any = None
    model_group: Any = None
    model_id: Any = None
    metadata: Any = None
    response_cost: Any = None
    cost_breakdown: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    request_tags: Any = None
    end_user: Any = None
    response: msgspec.Raw = msgspec.Raw()
    model_parameters: Any = None
    hidden_params: Any = None
    error_str: Any = None
    error_information: Any = None


class _Response(msgspec.Struct, gc=False):
    service_tier: Any = None


_decoder: Final = msgspec.json.Decoder(_Payload)
_MEMBERS: Final = frozenset(_Payload.__struct_encode_fields__)
_members: Final = msgspec.json.Decoder(
    msgspec.defstruct("Members", [(name, msgspec.Raw, msgspec.Raw()) for name in sorted(_MEMBERS - {"response"})])
)
_response: Final = msgspec.json.Decoder(_Response)


def _decode(value: Any, reading: Reading) -> RequestRecord:  # noqa: ANN401 - bytes, or values of the lenient reader
    try:
        if isinstance(value, bytes | msgspec.Raw):
            _refuse_dense(value)
            payload = _decoder.decode(value)
        else:
            payload = msgspec.convert(
                {**value, "response": msgspec.Raw()} if isinstance(value, dict) else value, _Payload
            )
    except _UNREADABLE as error:
        raise json_body.rejection_of(error) from error
    _refuse_version_1(payload)
    record = _record(payload)
    if reading != PLAIN:
        extend(record, reading, lambda: json_body.unknown_members(value, _MEMBERS), json_body.looking_into(value))
    return record


def record_of(values: Mapping[str, Any]) -> RequestRecord:
    """The record of a payload that is put together from LiteLLM's other sources. Raises RejectedError."""
    return _record(msgspec.convert(values, _Payload))


def _refuse_dense(value: bytes | msgspec.Raw) -> None:
    # What is read of a payload becomes Python values, seven times as large where it is dense; long texts are not.
    if len(view := memoryview(value)) > RECORD_BYTES and bytes(view).count(b",") > _MOST_COMMAS:
        for name, member in msgspec.structs.asdict(_members.decode(value)).items():
            if bytes(member).count(b",") > _MOST_COMMAS:
                raise RejectedError(Code.TOO_LONG, name, f"{name} has too many members.")


def _refuse_version_1(payload: _Payload) -> None:
    texts = (payload.metadata, payload.start_time, payload.model_parameters)
    if all(isinstance(value, str) for value in texts):
        raise UnsupportedError(
            "Every value of this body is text: LiteLLM was started with generic_api_use_v1=True. "
            "Remove that switch, so that it sends StandardLoggingPayload records."
        )


def _record(payload: _Payload) -> RequestRecord:
    started, ended = _microseconds(payload.start_time, "startTime"), _microseconds(payload.end_time, "endTime")
    if started is None:
        raise RejectedError(Code.MISSING, "startTime", "startTime is missing.")
    about = mapping_of(payload.metadata)
    failure = failure_of(payload.error_information, payload.error_str) if payload.status == "failure" else None
    record = RequestRecord(
        request_id=text_of(payload.litellm_call_id) or text_of(payload.id) or "",
        started_at=datetime.fromtimestamp(started // MICROSECOND, UTC).replace(microsecond=started % MICROSECOND),
        user=text_of(about.get("user_api_key_user_id")) or text_of(about.get("user_api_key_user_email")),
        user_email=text_of(about.get("user_api_key_user_email")),
        virtual_account=text_of(about.get("user_api_key_alias")) or text_of(about.get("user_api_key_hash")),
        team=text_of(about.get("user_api_key_team_alias")) or text_of(about.get("user_api_key_team_id")),
        metadata=_metadata(payload, about),
        streaming=_streaming(payload, failure),
        reported_cost_usd=_cost(payload.response_cost),
        service_tier=_service_tier(payload),
        operation=operation_of(payload.call_type),
        attempt=_attempt(payload),
        trace_id=text_of(payload.trace_id),
    )
    _set_model(record, payload, about, failure)
    _set_times(record, started, ended, _microseconds(payload.first_chunk_time, "completionStartTime"))
    _set_tokens(record, payload, about, failure)
    _set_status(record, failure)
    return record


def _microseconds(value: object, name: str) -> int | None:
    """Epoch seconds, as LiteLLM sends them, in whole microseconds."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise RejectedError(Code.INVALID, name, f"{name} must be seconds since 1970.")
    return round(value * MICROSECOND)


def _metadata(payload: _Payload, about: Mapping[str, Any]) -> dict[str, str]:
    """What callers, keys and LiteLLM say about a request, cut to what can be stored."""
    values: dict[str, Any] = {}
    for source in ("requester_metadata", "spend_logs_metadata", "user_api_key_auth_metadata"):
        values |= {key: value for key, value in mapping_of(about.get(source)).items() if key not in _INTERNAL_METADATA}
    tags = payload.request_tags if isinstance(payload.request_tags, list) else []
    values["tags"] = [tag for tag in tags if not str(tag).startswith(_TAGS_OF_CLIENT)]
    values["end_user"] = payload.end_user
    if payload.cache_hit is True or payload.cache_hit == "True":
        values[GATEWAY_CACHE] = "hit"
    return shortened(metadata_of(values), first=GATEWAY_CACHE)


def _streaming(payload: _Payload, failure: Failure | None) -> bool | None:
    if payload.stream is True:
        return True
    asked = mapping_of(payload.model_parameters).get("stream")
    if isinstance(asked, bool):
        return asked
    return None if failure else False


def _cost(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(repr(value))  # the shortest text of the float, not its binary value


def _service_tier(payload: _Payload) -> str | None:
    tier = text_of(mapping_of(payload.cost_breakdown).get("service_tier"))
    if tier is None and bytes(payload.response):
        try:
            tier = text_of(_response.decode(payload.response).service_tier)
        except _UNREADABLE:
            tier = None
    return "standard" if tier == "default" else tier


def operation_of(value: object) -> str:
    """`acompletion` is the asynchronous form of `completion`, and so on."""
    name = text_of(value) or Operation.CHAT.value
    return name[1:] if name.startswith("a") and name[1:] in OPERATIONS else name


def _attempt(payload: _Payload) -> int | None:
    headers = mapping_of(mapping_of(payload.hidden_params).get("additional_headers"))
    names = ("x-litellm-attempted-retries", "x-litellm-attempted-fallbacks")
    counts = [int(str(headers[name])) for name in names if str(headers.get(name, "")).isdecimal()]
    return 1 + sum(counts) if counts else None


def _set_model(record: RequestRecord, payload: _Payload, about: Mapping[str, Any], failure: Failure | None) -> None:
    model, group = text_of(payload.model), text_of(payload.model_group)
    if failure and about.get("user_api_key_request_route") and not payload.model_id:
        # No target was reached: `model` names the alias that the caller asked for.
        record.virtual_model = group or model
        return
    record.model, record.virtual_model = model, group
    record.provider = text_of(payload.custom_llm_provider)


def _set_times(record: RequestRecord, started: int, ended: int | None, first_chunk: int | None) -> None:
    # `response_time` is the time to first token of streams: never the latency.
    if ended is not None and ended >= started:
        record.latency_ms = (ended - started) / 1000
    if record.streaming and first_chunk is not None and first_chunk > started:
        record.ttft_ms = (first_chunk - started) / 1000


def _set_tokens(record: RequestRecord, payload: _Payload, about: Mapping[str, Any], failure: Failure | None) -> None:
    sent = {"in": payload.prompt_tokens, "out": payload.completion_tokens}
    record.input_tokens, record.output_tokens = usage.first(sent, ("in",)), usage.first(sent, ("out",))
    if failure and not record.input_tokens and not record.output_tokens:
        record.input_tokens = record.output_tokens = None  # LiteLLM writes zeros on failures
        return
    told = mapping_of(about.get("usage_object"))
    for name, part in usage.parts(told).items():
        setattr(record, name, part)
    read, write = (usage.first(told, (name,)) for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
    record.cache_read_tokens = record.cache_read_tokens if read is None else read
    record.cache_write_tokens = record.cache_write_tokens if write is None else write
    record.units, record.usage = usage.units(told), dict(told) or None


def _set_status(record: RequestRecord, failure: Failure | None) -> None:
    if failure is None:
        record.status_code = 200
        return
    record.status_code, record.error_type, record.error_message = failure


def _recognises(head: Head) -> bool:
    # Rows of LiteLLM's own table have a request_id, payloads of older versions no litellm_call_id.
    return head.has("litellm_call_id") or (head.has("startTime", "call_type") and not head.has("request_id"))


LITELLM: Final = json_body.format_of("litellm", _decode, _recognises)
