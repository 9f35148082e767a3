"""What every record must satisfy, whatever its source: steps that return nothing or raise RejectedError. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from operator import attrgetter
from typing import Final

from ingestion.records import TOKEN_FIELDS, UNIT_NAME, Code, RejectedError, RequestRecord

REQUEST_ID_LENGTH: Final = 128
NOT_IDS: Final = frozenset({"none", "null", "undefined"})
TEXT_LIMITS: Final = {
    "model": 256,
    "provider": 64,
    "virtual_model": 256,
    "user": 256,
    "user_email": 254,
    "virtual_account": 256,
    "team": 256,
    "error_type": 128,
    "service_tier": 32,
    "operation": 128,
    "trace_id": 128,
    "span_id": 128,
}
METADATA_KEYS: Final = 64
METADATA_KEY_LENGTH: Final = 128
METADATA_VALUE_LENGTH: Final = 256
MOST_TOKENS: Final = 10**12
UNITS: Final = 16
MOST_UNITS: Final = 10**9
LONGEST_MS: Final = 10**10  # 115 days
MOST_USD: Final = Decimal(9_000_000)  # picodollars must fit into 64 bits
MOST_ATTEMPTS: Final = 32_767
EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)

# Ids differ from record to record, names repeat: what was found sound once is not looked at again.
_IDS: Final = ("trace_id", "span_id")
_NAMES: Final = tuple(field for field in TEXT_LIMITS if field not in _IDS)
_names: Final = attrgetter(*_NAMES)
_KEPT: Final = 4_096
_FEW_PAIRS: Final = 8
_tokens: Final = attrgetter(*TOKEN_FIELDS)
_DURATIONS: Final = ("latency_ms", "ttft_ms", "itl_ms")
_durations: Final = attrgetter(*_DURATIONS)


@dataclass(frozen=True, slots=True)
class Window:
    """Instants at which a request may have started: `[earliest, latest]`."""

    earliest: datetime
    latest: datetime

    @classmethod
    def around(cls, now: datetime, *, past_days: int | None, future_minutes: int) -> "Window":
        """The window of a batch received now; `past_days` None = no lower limit (file import)."""
        earliest = EARLIEST if past_days is None else now - timedelta(days=past_days)
        return cls(earliest, now + timedelta(minutes=future_minutes))

    def check(self, record: RequestRecord) -> None:
        """Refuse what started outside, and instants without an offset; keep the others in UTC."""
        started_at = record.started_at
        if started_at.tzinfo is not UTC:
            if started_at.tzinfo is None:
                raise RejectedError(Code.INVALID, "started_at", "started_at needs an offset such as Z or +02:00.")
            try:
                started_at = record.started_at = started_at.astimezone(UTC)
            except OverflowError:
                raise RejectedError(Code.TIME_WINDOW, "started_at", "started_at is outside all time.") from None
        if not self.earliest <= started_at <= self.latest:
            borders = f"{self.earliest:%Y-%m-%dT%H:%MZ} and {self.latest:%Y-%m-%dT%H:%MZ}"
            message = f"started_at must lie between {borders}, it is {started_at:%Y-%m-%dT%H:%M:%SZ}."
            raise RejectedError(Code.TIME_WINDOW, "started_at", message)


def check_request_id(record: RequestRecord) -> None:
    """1 to 128 printable ASCII characters, and none of the words that mean that there is no id."""
    value = record.request_id
    if not 0 < len(value) <= REQUEST_ID_LENGTH or not (value.isascii() and value.isprintable()):
        raise RejectedError(Code.REQUEST_ID, "request_id", "request_id must be 1 to 128 printable ASCII characters.")
    if value.strip().lower() in NOT_IDS or value.isspace():
        raise RejectedError(Code.REQUEST_ID, "request_id", f"“{value}” is not an identity.")


def check_texts(record: RequestRecord) -> None:
    """Lengths and characters of all names."""
    _check_names(_names(record))
    for field in _IDS:
        if value := getattr(record, field):
            _check_text(value, TEXT_LIMITS[field], field)


@lru_cache(maxsize=_KEPT)
def _check_names(values: tuple[str | None, ...]) -> None:
    for field, value in zip(_NAMES, values, strict=True):
        if value:
            _check_text(value, TEXT_LIMITS[field], field)


def check_metadata(record: RequestRecord) -> None:
    """At most 64 keys of 128 characters with values of 256."""
    metadata = record.metadata
    if not metadata:
        return
    if len(metadata) > METADATA_KEYS:
        raise RejectedError(Code.TOO_LONG, "metadata", f"metadata has {len(metadata)} keys, {METADATA_KEYS} are kept.")
    # Only small ones are kept: the memory for them stays below 20 MB whatever is sent.
    check = _check_pairs if len(metadata) <= _FEW_PAIRS else _check_pairs.__wrapped__
    check(tuple(metadata.items()))


@lru_cache(maxsize=_KEPT)
def _check_pairs(pairs: tuple[tuple[str, str], ...]) -> None:
    for key, value in pairs:
        if not key:
            raise RejectedError(Code.INVALID, "metadata", "A metadata key is empty.")
        _check_text(key, METADATA_KEY_LENGTH, "metadata")
        _check_text(value, METADATA_VALUE_LENGTH, "metadata")


def _check_text(value: str, limit: int, field: str) -> None:
    if len(value) > limit:
        raise RejectedError(Code.TOO_LONG, field, f"{field} has {len(value)} characters, {limit} are allowed.")
    if not _is_sound(value):
        raise RejectedError(Code.INVALID, field, f"{field} contains a NUL character or half of a surrogate pair.")


@lru_cache(maxsize=65_536)  # names repeat
def _is_sound(value: str) -> bool:
    if value.isascii():
        return "\0" not in value
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def check_tokens(record: RequestRecord) -> None:
    """Token counts are not negative and not absurd."""
    counts = _tokens(record)
    known = [value for value in counts if value is not None]
    if known and not 0 <= min(known) <= max(known) <= MOST_TOKENS:
        _refuse_first(TOKEN_FIELDS, counts, MOST_TOKENS)


def check_units(record: RequestRecord) -> None:
    """At most 16 units with plain names and counts that are whole, not negative and not absurd."""
    units: Mapping[str, object] = record.units  # as it was sent, perhaps no numbers
    if len(units) > UNITS:
        raise RejectedError(Code.TOO_LONG, "units", f"units has {len(units)} names, {UNITS} are allowed.")
    for name, count in units.items():
        if not UNIT_NAME.fullmatch(name):
            # Without the name: it is a text of whoever sent it.
            raise RejectedError(Code.INVALID, "units", "The name of a unit is 1 to 32 of a-z, 0-9 and underscore.")
        if isinstance(count, bool) or not isinstance(count, int) or count > MOST_UNITS:
            message = f"units.{name} must be a whole number from 0 to {MOST_UNITS:,}."
            raise RejectedError(Code.INVALID, "units", message)
        if count < 0:
            raise RejectedError(Code.NEGATIVE, "units", f"units.{name} must not be negative.")


def check_durations(record: RequestRecord) -> None:
    """Durations are finite, not negative, not absurd."""
    durations = _durations(record)
    for value in durations:
        if value is not None and not 0 <= value <= LONGEST_MS:
            _refuse_first(_DURATIONS, durations, LONGEST_MS)


def check_numbers(record: RequestRecord) -> None:
    """Status code, attempt and reported cost are in range."""
    status, attempt, cost = record.status_code, record.attempt, record.reported_cost_usd
    if status is not None and not 100 <= status <= 599:
        raise RejectedError(Code.INVALID, "status_code", f"status_code must be 100 to 599, it is {status}.")
    if attempt is not None and not 1 <= attempt <= MOST_ATTEMPTS:
        raise RejectedError(Code.INVALID, "attempt", f"attempt must be 1 to {MOST_ATTEMPTS}, it is {attempt}.")
    if cost is not None and not (cost.is_finite() and 0 <= cost <= MOST_USD):
        _refuse_number("reported_cost_usd", cost, MOST_USD)


def _refuse_first(fields: Sequence[str], values: Sequence[float | None], most: float) -> None:
    for field, value in zip(fields, values, strict=True):
        if value is not None and not 0 <= value <= most:
            _refuse_number(field, value, most)


def _refuse_number(field: str, value: float | Decimal, most: float | Decimal) -> None:
    # Not of whole numbers: they are always finite, and may be too large for the question.
    if not (value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or isfinite(value)):
        raise RejectedError(Code.INVALID, field, f"{field} is not a finite number.")
    if value < 0:
        raise RejectedError(Code.NEGATIVE, field, f"{field} must not be negative.")
    raise RejectedError(Code.INVALID, field, f"{field} must be at most {most}.")


CHECKS: Final[tuple[Callable[[RequestRecord], None], ...]] = (
    check_request_id,
    check_texts,
    check_metadata,
    check_tokens,
    check_units,
    check_durations,
    check_numbers,
)
