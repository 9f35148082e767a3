"""Our own format: canonical records as JSON, as an array, one object or one object per line."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from ingestion import usage
from ingestion.formats import json_body
from ingestion.formats.mapping import PLAIN, Reading, extend
from ingestion.formats.values import metadata_of
from ingestion.records import Code, RejectedError, RequestRecord

RECORD_BYTES: Final = 2**20
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class _NativeRecord(RequestRecord, forbid_unknown_fields=True, kw_only=True, gc=False, omit_defaults=True):
    """A record as it is sent: a time in text, any metadata values."""

    started_at: Any
    metadata: dict[str, Any] | None = None  # type: ignore[assignment]  # null is none, see _decode
    units: dict[str, Any] | None = {}  # type: ignore[assignment]  # the same; they are checked with every record's


class _TolerantRecord(_NativeRecord, forbid_unknown_fields=False, kw_only=True, gc=False, omit_defaults=True):
    """The same where unknown fields were asked to be kept as metadata."""


def _reader_of(kind: type[_NativeRecord]) -> Callable[[Any], _NativeRecord]:
    decoder = msgspec.json.Decoder(kind)

    def decode(value: Any) -> _NativeRecord:  # noqa: ANN401 - bytes, or values of the lenient reader
        return decoder.decode(value) if isinstance(value, bytes | msgspec.Raw) else msgspec.convert(value, kind)

    return decode


_strict: Final = _reader_of(_NativeRecord)
_tolerant: Final = _reader_of(_TolerantRecord)
_FIELDS: Final = frozenset(_NativeRecord.__struct_fields__)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decode(value: Any, reading: Reading) -> RequestRecord:  # noqa: ANN401 - bytes, or values of the lenient reader
    _refuse_huge(value)
    try:
        record = (_tolerant if reading.keep_unknown else _strict)(value)
    except _UNREADABLE as error:
        raise json_body.rejection_of(error) from error
    record.started_at = instant(record.started_at)
    record.metadata = metadata_of(record.metadata) if record.metadata else {}
    record.units = record.units or {}
    if record.usage is not None:
        _take_usage(record, record.usage)
    if reading != PLAIN:
        extend(record, reading, lambda: json_body.unknown_members(value, _FIELDS), json_body.looking_into(value))
    return record


def _refuse_huge(value: object) -> None:
    # A million metadata keys would fill the memory before they are counted.
    if isinstance(value, bytes | msgspec.Raw) and len(memoryview(value)) > RECORD_BYTES:
        raise RejectedError(Code.TOO_LONG, "", f"A record has at most {RECORD_BYTES:,} bytes.")


def instant(text: object) -> datetime:
    """A time of RFC 3339 with offset; digits below the microsecond are cut. Raises RejectedError."""
    if isinstance(text, str) and _RFC3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper())
        except ValueError:
            pass
    message = "started_at must be a time with offset such as 2026-11-24T09:30:00.125Z."
    raise RejectedError(Code.INVALID, "started_at", message)


def _take_usage(record: _NativeRecord, sent: Mapping[str, Any]) -> None:
    """Read the counts of the usage object; counts that are given as well must agree."""
    for field, count in usage.counts(sent).items():
        _refuse_other(field, getattr(record, field), count)
        setattr(record, field, count)
    given = record.units or {}
    for name, count in usage.units(sent).items():
        _refuse_other("units", given.get(name), count)
        record.units = given | {name: count}


def _refuse_other(field: str, given: object, count: int) -> None:
    if given is not None and given != count:
        said = given if isinstance(given, int) else "no whole number"
        raise RejectedError(Code.CONTRADICTION, field, f"{field} is {said}, but usage says {count}.")


NATIVE: Final = json_body.format_of("native", _decode)
