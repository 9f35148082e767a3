"""What a record must satisfy."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ingestion.records import Code, RejectedError, RequestRecord
from ingestion.validation import CHECKS, Window
from tests import make

WINDOW = Window.around(make.NOW, past_days=35, future_minutes=5)


def refusal(record: RequestRecord, window: Window = WINDOW) -> tuple[Code, str] | None:
    """Code and field of the refusal, None for an accepted record."""
    try:
        window.check(record)
        for check in CHECKS:
            check(record)
    except RejectedError as error:
        return error.code, error.field
    return None


@pytest.mark.parametrize("value", ["a", "x" * 128, "id with space", "~<>&\"'", "0"])
def test_identities(value: str) -> None:
    assert refusal(make.record(request_id=value)) is None


@pytest.mark.parametrize(
    "value", ["", " ", "None", "null", "undefined", " NULL ", "x" * 129, "a\0b", "tab\t", "ü", "line\n"]
)
def test_what_is_not_an_identity(value: str) -> None:
    assert refusal(make.record(request_id=value)) == (Code.REQUEST_ID, "request_id")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("model", "x" * 257, Code.TOO_LONG),
        ("provider", "x" * 65, Code.TOO_LONG),
        ("error_type", "x" * 129, Code.TOO_LONG),
        ("user", "a\0", Code.INVALID),
        ("team", "\ud800", Code.INVALID),
        ("input_tokens", -1, Code.NEGATIVE),
        ("output_tokens", 2**63, Code.INVALID),
        ("reasoning_tokens", 10**12 + 1, Code.INVALID),
        ("latency_ms", -0.5, Code.NEGATIVE),
        ("latency_ms", float("nan"), Code.INVALID),
        ("ttft_ms", float("inf"), Code.INVALID),
        ("itl_ms", 1e11, Code.INVALID),
        ("status_code", 99, Code.INVALID),
        ("status_code", 600, Code.INVALID),
        ("attempt", 0, Code.INVALID),
        ("attempt", 32_768, Code.INVALID),
        ("reported_cost_usd", Decimal("-0.1"), Code.NEGATIVE),
        ("reported_cost_usd", Decimal("NaN"), Code.INVALID),
        ("reported_cost_usd", Decimal("sNaN"), Code.INVALID),
        ("reported_cost_usd", Decimal("1E+400"), Code.INVALID),
    ],
)
def test_refused_values(field: str, value: Any, code: Code) -> None:
    assert refusal(make.record(**{field: value})) == (code, field)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "x" * 256},
        {"user": "مرحبا 🌍"},
        {"input_tokens": 0},
        {"latency_ms": 0.0},
        {"latency_ms": -0.0},
        {"attempt": 32_767},
        {"status_code": 100},
        {"metadata": {f"k{number}": "v" * 256 for number in range(64)}},
    ],
)
def test_borders_that_are_inside(fields: dict[str, Any]) -> None:
    assert refusal(make.record(**fields)) is None


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({f"k{number}": "v" for number in range(65)}, Code.TOO_LONG),
        ({"k" * 129: "v"}, Code.TOO_LONG),
        ({"k": "v" * 257}, Code.TOO_LONG),
        ({"": "v"}, Code.INVALID),
        ({"k": "a\0"}, Code.INVALID),
        ({"k\ud800": "v"}, Code.INVALID),
    ],
)
def test_refused_metadata(metadata: dict[str, str], code: Code) -> None:
    assert refusal(make.record(metadata=metadata)) == (code, "metadata")


@pytest.mark.parametrize(
    ("offset", "accepted"),
    [
        (timedelta(days=-35), True),
        (timedelta(days=-35, microseconds=-1), False),
        (timedelta(minutes=5), True),
        (timedelta(minutes=5, microseconds=1), False),
        (timedelta(days=400), False),
    ],
)
def test_the_window_of_time(offset: timedelta, accepted: bool) -> None:
    found = refusal(make.record(started_at=make.NOW + offset))
    assert found == (None if accepted else (Code.TIME_WINDOW, "started_at"))


def test_a_file_may_be_old_but_not_absurd() -> None:
    window = Window.around(make.NOW, past_days=None, future_minutes=5)
    assert refusal(make.record(started_at=datetime(1999, 12, 31, tzinfo=UTC)), window) is None
    for year in (1, 1969, 9999):
        assert refusal(make.record(started_at=datetime(year, 1, 1, tzinfo=UTC)), window) is not None
    beyond = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    assert refusal(make.record(started_at=beyond), window) == (Code.TIME_WINDOW, "started_at")


def test_times_are_kept_in_utc() -> None:
    record = make.record(started_at=datetime(2026, 11, 24, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    assert refusal(record) is None
    assert (record.started_at, record.started_at.tzinfo) == (make.NOW, UTC)


def test_times_need_an_offset() -> None:
    assert refusal(make.record(started_at=make.NOW.replace(tzinfo=None))) == (Code.INVALID, "started_at")
