"""Flat CSV files."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingestion.formats import FORMATS, MalformedError
from ingestion.formats.mapping import Reading
from ingestion.records import Code, RejectedError, RequestRecord

CSV = FORMATS["csv"]
HEADER = "request_id,timestamp,model,input_tokens,cached_tokens,latency_ms,ttft_ms,status,error_type,metadata.env"


def read(*rows: str, header: str = HEADER) -> list[RequestRecord | RejectedError]:
    return [item for _, item in CSV.read_file(io.BytesIO("\n".join((header, *rows)).encode()))]


def one(row: str, header: str = HEADER) -> RequestRecord:
    (record,) = read(row, header=header)
    assert isinstance(record, RequestRecord), record
    return record


def test_a_row() -> None:
    record = one("r1,2023-11-16T18:17:03.9799699Z,llama,4808,10,2532.8417,314.85,success,,prod")
    assert record == RequestRecord(
        request_id="r1",
        started_at=datetime(2023, 11, 16, 18, 17, 3, 979_969, tzinfo=UTC),
        model="llama",
        input_tokens=4_808,
        cache_read_tokens=10,
        latency_ms=2_532.8417,
        ttft_ms=314.85,
        status_code=200,
        streaming=True,
        metadata={"env": "prod"},
    )


def test_empty_cells_are_unknown() -> None:
    record = one("r1,2023-11-16T18:17:03Z,,,,,,,,")
    assert record == RequestRecord(request_id="r1", started_at=datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "error_type", "expected"),
    [
        ("success", "", (200, None)),
        ("error", "429", (429, None)),
        ("error", "code 429", (None, "code 429")),
        ("error", "", (None, "error")),
        ("error", "999", (None, "999")),
        ("", "", (None, None)),
    ],
)
def test_status(status: str, error_type: str, expected: tuple[int | None, str | None]) -> None:
    record = one(f"r1,2023-11-16T18:17:03Z,,,,,,{status},{error_type},")
    assert (record.status_code, record.error_type) == expected


@pytest.mark.parametrize(("ttft", "streaming"), [("0.0", None), ("3", True), ("", None)])
def test_a_positive_ttft_makes_a_stream(ttft: str, streaming: bool | None) -> None:
    assert one(f"r1,2023-11-16T18:17:03Z,,,,9,{ttft},,,").streaming is streaming


def test_canonical_names_and_types() -> None:
    header = "request_id,started_at,streaming,reported_cost_usd,attempt,team,error_message"
    record = one('r1,2023-11-16T18:17:03+01:00,False,1.35e-05,2,"Search, EU","a ""b"""', header=header)
    assert (record.streaming, record.reported_cost_usd, record.attempt) == (False, Decimal("0.0000135"), 2)
    assert (record.team, record.error_message) == ("Search, EU", 'a "b"')


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (",2023-11-16T18:17:03Z,,,,,,,,", Code.MISSING, "request_id"),
        ("r1,,,,,,,,,", Code.MISSING, "started_at"),
        ("r1,yesterday,,,,,,,,", Code.INVALID, "started_at"),
        ("r1,2023-11-16T18:17:03Z,,4.5,,,,,,", Code.INVALID, "input_tokens"),
        ("r1,2023-11-16T18:17:03Z,,٣,,,,,,", Code.INVALID, "input_tokens"),
        ("r1,2023-11-16T18:17:03Z,,,,nan,,,,", Code.INVALID, "latency_ms"),
        ("r1,2023-11-16T18:17:03Z,,,,,,maybe,,", Code.INVALID, "status"),
        ("r1,2023-11-16T18:17:03Z", Code.INVALID, ""),
    ],
)
def test_bad_rows_are_refused_alone(row: str, code: Code, field: str) -> None:
    bad, good = read(row, "r2,2023-11-16T18:17:03Z,,,,,,,,")
    assert isinstance(bad, RejectedError)
    assert (bad.code, bad.field) == (code, field)
    assert isinstance(good, RequestRecord)


def test_unknown_columns_are_named_with_the_allowed_ones() -> None:
    with pytest.raises(MalformedError) as refused:
        read(header="request_id,timestamp,tokens,Model")
    assert "“tokens”, “Model”" in str(refused.value)
    assert "input_tokens, output_tokens" in str(refused.value)
    assert "metadata.<key>" in str(refused.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("request_id,model", "Missing columns: started_at"),
        ("request_id,timestamp,started_at", "given twice: started_at"),
        ("", "The file is empty"),
    ],
)
def test_bad_headers(header: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read(header=header)


def test_broken_files_are_refused_with_the_line() -> None:
    with pytest.raises(MalformedError) as refused:
        list(CSV.read(b'request_id,timestamp\n"a,2023-11-16T18:17:03Z\n'))
    assert refused.value.line is not None
    with pytest.raises(MalformedError, match="UTF-8"):
        list(CSV.read(b"request_id,timestamp\n\xff,x\n"))


def test_a_byte_order_mark_is_ignored() -> None:
    (item,) = CSV.read(b"\xef\xbb\xbfrequest_id,timestamp\na,2023-11-16T18:17:03Z\n")
    assert isinstance(item[1], RequestRecord)


def test_metadata_columns_are_known() -> None:
    ((_, record),) = CSV.read(
        b"request_id,timestamp,metadata.env,region\na,2023-11-16T18:17:03Z,prod,eu\n", Reading(keep_unknown=True)
    )
    assert isinstance(record, RequestRecord)
    assert record.metadata == {"env": "prod", "region": "eu"}
