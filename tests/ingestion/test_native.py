"""Our own JSON: shapes of bodies, positions of errors, refusals per record."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingestion.formats import NATIVE, MalformedError
from ingestion.records import Code, RejectedError, RequestRecord

FIRST = {"request_id": "a", "started_at": "2026-11-24T12:00:00Z"}
SECOND = {"request_id": "b", "started_at": "2026-11-24T12:00:00Z"}


def read(body: bytes | str) -> list[Any]:
    """Per record: its id, or code and field of its refusal."""
    listed = list(NATIVE.read(body.encode() if isinstance(body, str) else body))
    assert [index for index, _ in listed] == list(range(len(listed)))
    return [(item.code, item.field) if isinstance(item, RejectedError) else item.request_id for _, item in listed]


def one(**fields: Any) -> RequestRecord:
    ((_, record),) = NATIVE.read(json.dumps({**FIRST, **fields}).encode())
    assert isinstance(record, RequestRecord), record
    return record


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([FIRST, SECOND]),
        " \r\n" + json.dumps([FIRST, SECOND], indent=2),
        "\ufeff" + json.dumps([FIRST, SECOND]),
        json.dumps(FIRST) + "\n" + json.dumps(SECOND),
        json.dumps(FIRST) + "\r\n\n" + json.dumps(SECOND) + "\n",
    ],
)
def test_arrays_and_lines(body: str) -> None:
    assert read(body) == ["a", "b"]


def test_one_object_may_be_written_over_many_lines() -> None:
    assert read(json.dumps(FIRST, indent=2)) == ["a"]
    assert read("[]") == []


@pytest.mark.parametrize(
    ("body", "byte", "line", "column"),
    [
        ('[{"request_id": "a"},\n {"request_id": tru}]', 39, 2, 18),
        ('[{"request_id": "a"}', 20, 1, 21),
        ('{"request_id": "a",}', 19, 1, 20),
        ('[{"request_id": "ä"}] x', 24, 1, 24),
        ("hello", 0, 1, 1),
        ("  ", 0, None, None),
        ("", 0, None, None),
        ('[{"a": NaN}, {"b": tru}]', 19, 1, 20),
    ],
)
def test_malformed_bodies_are_refused_with_the_position(
    body: str, byte: int, line: int | None, column: int | None
) -> None:
    with pytest.raises(MalformedError) as refused:
        read(body)
    assert (refused.value.byte, refused.value.line, refused.value.column) == (byte, line, column)
    assert f"byte {byte}" in str(refused.value)


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'[{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]"])
def test_deep_nesting_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError, match="nested too deeply"):
        read(body)


def test_one_bad_line_does_not_cost_the_others() -> None:
    body = json.dumps(FIRST) + '\n{"request_id": \n' + json.dumps(SECOND)
    assert read(body) == ["a", (Code.INVALID, ""), "b"]


@pytest.mark.parametrize("bad", ['"model": "\\ud800"', '"latency_ms": NaN', '"latency_ms": -Infinity'])
def test_what_json_cannot_say_costs_one_record(bad: str) -> None:
    body = f'[{json.dumps(FIRST)}, {{"request_id": "x", "started_at": "2026-11-24T12:00:00Z", {bad}}}]'
    first, second = NATIVE.read(body.encode())
    assert isinstance(first[1], RequestRecord)
    # The lenient reader lets the value through to the checks that every record passes.
    assert isinstance(second[1], RequestRecord | RejectedError)


def test_bytes_that_are_not_utf_8_cost_one_record() -> None:
    body = b'[{"request_id": "\xff", "started_at": "2026-11-24T12:00:00Z"}, ' + json.dumps(SECOND).encode() + b"]"
    assert read(body) == [(Code.INVALID, ""), "b"]


@pytest.mark.parametrize(
    ("record", "refusal"),
    [
        (3, (Code.NOT_AN_OBJECT, "")),
        ("text", (Code.NOT_AN_OBJECT, "")),
        (None, (Code.NOT_AN_OBJECT, "")),
        ([], (Code.NOT_AN_OBJECT, "")),
        ({"request_id": "x"}, (Code.MISSING, "started_at")),
        ({"started_at": "2026-11-24T12:00:00Z"}, (Code.MISSING, "request_id")),
        ({**FIRST, "tokens": 3}, (Code.UNKNOWN_FIELD, "tokens")),
        ({**FIRST, "request_id": None}, (Code.INVALID, "request_id")),
        ({**FIRST, "input_tokens": "3"}, (Code.INVALID, "input_tokens")),
        ({**FIRST, "input_tokens": 3.5}, (Code.INVALID, "input_tokens")),
        ({**FIRST, "streaming": 1}, (Code.INVALID, "streaming")),
        ({**FIRST, "metadata": {"a": 1}, "model": {}}, (Code.INVALID, "model")),
        ({**FIRST, "metadata": []}, (Code.INVALID, "metadata")),
        ({**FIRST, "usage": {}}, (Code.INVALID, "usage")),
        ({**FIRST, "usage": {"prompt_tokens": 3}, "input_tokens": 4}, (Code.CONTRADICTION, "input_tokens")),
        ({**FIRST, "started_at": 1_700_000_000}, (Code.INVALID, "started_at")),
        ({**FIRST, "started_at": "2026-11-24 12:00"}, (Code.INVALID, "started_at")),
        ({**FIRST, "started_at": "2026-11-24T12:00:00"}, (Code.INVALID, "started_at")),
        ({**FIRST, "started_at": "2026-11-24T12:00:60Z"}, (Code.INVALID, "started_at")),
        ({**FIRST, "started_at": "2026-W48-2T12:00:00Z"}, (Code.INVALID, "started_at")),
    ],
)
def test_bad_records_are_refused_alone(record: object, refusal: tuple[Code, str]) -> None:
    assert read(json.dumps([record, SECOND])) == [refusal, "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T12:00:00Z", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("2026-11-24t12:00:00.5z", datetime(2026, 11, 24, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24 17:30:00+05:30", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("2023-11-16T18:17:03.9799699Z", datetime(2023, 11, 16, 18, 17, 3, 979_969, tzinfo=UTC)),
    ],
)
def test_times_are_cut_to_microseconds(text: str, expected: datetime) -> None:
    assert one(started_at=text).started_at == expected


def test_a_huge_record_is_refused_undecoded() -> None:
    huge = FIRST | {"metadata": {f"key-{number}": "v" for number in range(100_000)}}
    assert read(json.dumps([huge, SECOND])) == [(Code.TOO_LONG, ""), "b"]
    assert read(json.dumps(huge) + "\n" + json.dumps(SECOND)) == [(Code.TOO_LONG, ""), "b"]


def test_metadata_becomes_text() -> None:
    sent = {"a": "x", "b": 3, "c": True, "d": None, "e": ["x", 1], "f": {"g": 1}, "h": [[1]], "i": "", "j": 1.5}
    assert one(metadata=sent).metadata == {"a": "x", "b": "3", "c": "true", "e": "x,1", "j": "1.5"}
    assert one(metadata=None).metadata == {}


def test_usage_objects_become_counts() -> None:
    sent = {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 5}
    record = one(usage=sent, output_tokens=5)
    assert (record.input_tokens, record.cache_read_tokens, record.output_tokens) == (100, 90, 5)


def test_money_is_read_from_its_text() -> None:
    body = json.dumps(FIRST)[:-1] + ', "reported_cost_usd": 0.1}'
    ((_, record),) = NATIVE.read(body.encode())
    assert isinstance(record, RequestRecord)
    assert record.reported_cost_usd == Decimal("0.1")
    assert one(reported_cost_usd="0.000001").reported_cost_usd == Decimal("0.000001")


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n"])
def test_files_are_read_line_by_line(separator: str) -> None:
    lines = [json.dumps(FIRST), "nonsense", json.dumps(SECOND)]
    found = [item for _, item in NATIVE.read_file(io.BytesIO(separator.join(lines).encode()))]
    assert [type(item) for item in found][::2] == [type(found[0])] * 2
    assert isinstance(found[1], RejectedError)


def test_files_may_hold_one_array() -> None:
    body = json.dumps([FIRST, SECOND], indent=1).encode()
    assert [index for index, _ in NATIVE.read_file(io.BytesIO(body))] == [0, 1]
