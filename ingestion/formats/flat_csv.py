"""Flat CSV files: one request per row, canonical field names or the names of our sample files. Empty = unknown."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ingestion.formats import csv_file
from ingestion.formats.base import MalformedError
from ingestion.formats.csv_file import unknown_columns
from ingestion.formats.mapping import METADATA, Reading, extend
from ingestion.formats.native import instant
from ingestion.records import TOKEN_FIELDS, Code, RejectedError, RequestRecord

_STATUS: Final = "status"
_UNITS: Final = "units."
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):
        raise ValueError("is not a whole number")
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        raise ValueError("is not a number")
    return float(text)


def _money(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("is not a decimal number") from None


def _truth(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise ValueError("is neither true nor false")
    return _WORDS[text.lower()]


_Convert = Callable[[str], Any]
_TEXTS: Final = (
    *("request_id", "model", "provider", "virtual_model", "user", "user_email", "virtual_account", "team"),
    *("error_type", "error_message", "service_tier", "operation", "trace_id", "span_id"),
)
COLUMNS: Final[dict[str, tuple[str, _Convert]]] = {
    **{name: (name, str) for name in _TEXTS},
    **{name: (name, _whole) for name in (*TOKEN_FIELDS, "status_code", "attempt")},
    **{name: (name, _number) for name in ("latency_ms", "ttft_ms", "itl_ms")},
    "streaming": ("streaming", _truth),
    "reported_cost_usd": ("reported_cost_usd", _money),
    "started_at": ("started_at", instant),
    "timestamp": ("started_at", instant),
    "cached_tokens": ("cache_read_tokens", _whole),
}
ALLOWED: Final = (*COLUMNS, _STATUS, f"{_UNITS}<name>", f"{METADATA}<key>")


def _check(header: Sequence[str], reading: Reading) -> None:
    unknown = [name for name in unknown_columns(header, (*COLUMNS, _STATUS), reading) if not _is_keyed(name)]
    if unknown and not reading.keep_unknown:
        names, allowed = ", ".join(f"“{name}”" for name in unknown), ", ".join(ALLOWED)
        raise MalformedError(f"Unknown columns: {names}. Allowed are: {allowed}", line=1)
    targets = [COLUMNS[name][0] if name in COLUMNS else name for name in header]
    doubled = sorted({target for target in targets if targets.count(target) > 1})
    if doubled:
        raise MalformedError(f"Columns given twice: {', '.join(doubled)}", line=1)
    missing = [name for name in ("request_id", "started_at") if name not in targets]
    if missing:
        raise MalformedError(f"Missing columns: {', '.join(missing)}", line=1)


def _is_keyed(name: str) -> bool:
    return any(name.startswith(prefix) and len(name) > len(prefix) for prefix in (METADATA, _UNITS))


def _decode(header: Sequence[str], cells: csv_file.Cells, reading: Reading) -> RequestRecord:
    record = _record(header, cells)
    extend(record, reading, lambda: _unknown(cells), cells.get)
    return record


def _unknown(cells: csv_file.Cells) -> csv_file.Cells:
    return {name: cell for name, cell in cells.items() if name not in ALLOWED and not _is_keyed(name)}


def _record(header: Sequence[str], cells: Mapping[str, str]) -> RequestRecord:
    values = dict(_converted(name, cell) for name, cell in cells.items() if name in COLUMNS)
    for needed in ("request_id", "started_at"):
        if needed not in values:
            raise RejectedError(Code.MISSING, needed, f"{needed} is missing.")
    metadata = {name.removeprefix(METADATA): cell for name, cell in cells.items() if name.startswith(METADATA)}
    units = {name.removeprefix(_UNITS): _units(cell) for name, cell in cells.items() if name.startswith(_UNITS)}
    record = RequestRecord(**values, metadata=metadata, units=units)
    _set_status(record, cells.get(_STATUS, ""))
    if "streaming" not in header and (record.ttft_ms or 0) > 0:
        record.streaming = True  # only streams have a first token
    return record


def _units(cell: str) -> int:
    try:
        return _whole(cell)
    except ValueError as error:
        raise RejectedError(Code.INVALID, "units", f"A number of units {error}.") from None


def _converted(name: str, cell: str) -> tuple[str, Any]:
    field, convert = COLUMNS[name]
    try:
        return field, convert(cell)
    except RejectedError:
        raise
    except ValueError as error:
        # Not the value: a prompt may stand in the wrong column.
        raise RejectedError(Code.INVALID, field, f"{field} {error}.") from None


def _set_status(record: RequestRecord, status: str) -> None:
    """`success` is 200; `error` is the status that error_type holds, else only a failure of that type."""
    if status == "success":
        record.status_code = record.status_code or 200
    elif status == "error":
        kind = record.error_type or "error"
        if re.fullmatch(r"[1-5]\d\d", kind, re.ASCII) and record.status_code is None:
            record.status_code, record.error_type = int(kind), None
        else:
            record.error_type = kind
    elif status:
        raise RejectedError(Code.INVALID, _STATUS, "status must be success or error.")


FLAT_CSV: Final = csv_file.format_of("csv", _check, _decode)
