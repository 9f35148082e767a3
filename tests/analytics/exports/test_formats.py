"""Every format holds the same rows, whatever the cells hold and however they come in batches."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.exports import formats
from analytics.exports.formats import xlsx, xlsx_parts
from analytics.exports.table import Batch, Column, Kind, Table
from metricsportal.lib.csv_stream import guarded
from metricsportal.lib.money import usd_text
from tests.analytics.exports.reading import csv_rows, ndjson_rows, parquet_rows, xlsx_rows, xlsx_sheets
from tests.metricsportal.lib.test_csv_stream import HARMLESS, TRIGGERS

COLUMNS = (
    Column("name", Kind.TEXT),
    Column("count", Kind.WHOLE),
    Column("p99", Kind.REAL),
    Column("cost_usd", Kind.MONEY),
    Column("flag", Kind.FLAG),
    Column("extra", Kind.OBJECT),
)
TEXTS = st.none() | st.text(min_size=1, max_size=20) | st.sampled_from([*TRIGGERS, "_x0041_", "a_x000D_b", "<b>&amp;"])
ROWS = st.lists(
    st.tuples(
        TEXTS,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.integers(-(10**25), 10**25),
        st.none() | st.booleans(),
        st.none() | st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), min_size=1, max_size=2),
    ),
    min_size=1,
    max_size=6,
)


def table(batches: Sequence[Sequence[tuple[Any, ...]]], columns: tuple[Column, ...] = COLUMNS) -> Table:
    def ending(rows: int) -> dict[str, Any]:
        return {"totals": {"cost_usd": "1.000000000001", "requests": 7}, "meta": {"row_count": rows}}

    made = (Batch([list(column) for column in zip(*rows, strict=True)]) for rows in batches if rows)
    return Table(columns, made, ending, {"timezone": "UTC", "filters": ["model:eq:=1+1", "team:eq:x"]})


def written(name: str, batches: Sequence[Sequence[tuple[Any, ...]]]) -> bytes:
    return b"".join(formats.pieces(table(batches), name))


def expected(batches: Sequence[Sequence[tuple[Any, ...]]]) -> list[dict[str, Any]]:
    names = [column.name for column in COLUMNS]
    rows = [dict(zip(names, row, strict=True)) for rows in batches for row in rows]
    return [row | {"cost_usd": usd_text(row["cost_usd"])} for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_every_format_says_the_same(batches: list[list[tuple[Any, ...]]]) -> None:
    rows = expected(batches)
    document = json.loads(written("json", batches))
    assert document["rows"] == rows
    assert document["meta"]["row_count"] == len(rows)
    lines, end = ndjson_rows(written("ndjson", batches))
    assert (lines, end) == (rows, {name: document[name] for name in ("totals", "meta")})
    flat = [row | {"extra": as_text(row["extra"])} for row in rows]
    stored, manifest = parquet_rows(written("parquet", batches))
    assert stored == flat
    assert (manifest["rows"], manifest["totals"]) == (len(rows), document["totals"])
    assert_same_cells(csv_rows(written("csv", batches)), flat)


def as_text(value: dict[str, str] | None) -> str | None:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if value else None


def assert_same_cells(found: list[dict[str, str]], rows: list[dict[str, Any]]) -> None:
    """CSV has text only: empty is null, and numbers are compared as numbers."""
    assert len(found) == len(rows)
    for cells, row in zip(found, rows, strict=True):
        for name in ("name", "extra"):
            assert cells[name] == guarded(row[name] or "")
        assert cells["cost_usd"] == (row["cost_usd"] or "")
        assert cells["flag"] == {None: "", True: "true", False: "false"}[row["flag"]]
        assert [int(cells["count"])] == [row["count"]] if row["count"] is not None else cells["count"] == ""
        assert [float(cells["p99"])] == [row["p99"]] if row["p99"] is not None else cells["p99"] == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=2))
def test_a_spreadsheet_says_the_same(batches: list[list[tuple[Any, ...]]]) -> None:
    rows = [row | {"extra": as_text(row["extra"])} for row in expected(batches)]
    found, manifest = xlsx_rows(written("xlsx", batches))
    for row in rows:  # what a double cannot hold is text
        if row["count"] is not None and abs(row["count"]) > 2**53:
            row["count"] = str(row["count"])
    # The reader normalises line ends, which is XML's rule for what is not escaped.
    assert found == rows
    assert manifest["rows"] == str(len(rows))
    assert manifest["totals.cost_usd"] == "1.000000000001"


@pytest.mark.parametrize("payload", [*TRIGGERS, *filter(None, HARMLESS)])
def test_no_text_becomes_a_formula(payload: str) -> None:
    """S2: 30 payloads; the cell is text with what was sent, numbers beside it stay numbers, the shape is right."""
    batches = [[(payload, -2, -0.5, -3, None, {payload: payload})]]
    [row] = csv_rows(written("csv", batches))
    assert row["name"] == ("'" + payload if payload in TRIGGERS else payload)
    assert (row["count"], row["p99"], row["cost_usd"]) == ("-2", "-0.5", "-0.000000000003")
    sheets = xlsx_sheets(written("xlsx", batches))
    header, cells = sheets["Data"]
    assert header == ["name", "count", "p99", "cost_usd", "cost_usd_exact", "flag", "extra"]
    assert cells[:5] == [payload, -2, -0.5, -3e-12, "-0.000000000003"]


def test_headers_are_text_too() -> None:
    columns = (Column("=1+1", Kind.TEXT), *COLUMNS[1:])
    rows = [("a", 1, 1.0, 1, True, None)]
    content = b"".join(formats.pieces(table([rows], columns), "xlsx"))
    assert xlsx_sheets(content)["Data"][0][0] == "=1+1"
    assert b"".join(formats.pieces(table([rows], columns), "csv")).startswith(b'"\'=1+1",count')


@pytest.mark.parametrize("name", formats.FORMATS)
def test_no_rows_are_still_a_file(name: str) -> None:
    content = written(name, [])
    readers: dict[str, Callable[[bytes], object]] = {
        "json": lambda one: json.loads(one)["rows"],
        "csv": csv_rows,
        "ndjson": lambda one: ndjson_rows(one)[0],
        "parquet": lambda one: parquet_rows(one)[0],
        "xlsx": lambda one: xlsx_rows(one)[0],
    }
    assert readers[name](content) == []


@pytest.mark.parametrize("name", formats.FORMATS)
def test_where_batches_end_does_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 8)
    monkeypatch.setattr("analytics.exports.formats.parquet.GROUP_ROWS", 7)
    rows = [(f"name {number}", number, number / 3, number * 10**11, True, None) for number in range(30)]
    whole = written(name, [rows])
    assert whole == written(name, [rows[:1], rows[1:12], rows[12:13], rows[13:]])


def test_more_rows_than_a_sheet_holds_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 10)
    rows = [(f"name {number}", number, None, None, None, None) for number in range(25)]
    sheets = xlsx_sheets(written("xlsx", [rows[:13], rows[13:]]))
    assert {name: len(lines) for name, lines in sheets.items() if name != "Manifest"} == {
        "Data": 10,
        "Data 2": 10,
        "Data 3": 8,
    }
    assert [line[1] for name in ("Data", "Data 2", "Data 3") for line in sheets[name][1:]] == [*range(25)]


def test_a_text_too_long_for_a_cell_says_that_it_is_cut() -> None:
    long = "\N{GRINNING FACE}" * 20_000
    text = xlsx_sheets(written("xlsx", [[(long, 1, 1.0, 1, True, None)]]))["Data"][1][0]
    assert len(text.encode("utf-16-le")) // 2 <= xlsx_parts.MOST_CHARACTERS
    assert text.startswith("\N{GRINNING FACE}" * 16_000)
    assert "cut" in text
    assert xlsx_parts.text_cell("x" * xlsx_parts.MOST_CHARACTERS).count("x" * xlsx_parts.MOST_CHARACTERS) == 1


@pytest.mark.parametrize("name", formats.FORMATS)
def test_rows_are_written_as_they_come(name: str) -> None:
    """The writer takes no batch before the one before it has left, so that memory holds one at a time."""
    taken = []

    def batches() -> Iterator[Batch]:
        for number in range(12):
            taken.append(number)
            texts = [f"{number}-{row}-{hash((number, row))}" for row in range(10_000)]
            yield Batch([texts, [1] * 10_000, [0.5] * 10_000, [1] * 10_000, [True] * 10_000, [None] * 10_000])

    source = Table(COLUMNS, batches(), lambda rows: {"totals": {}, "meta": {}}, {"filters": []})
    stream = formats.pieces(source, name)
    next(stream)
    assert len(taken) <= 6  # Parquet gathers row groups
    assert sum(len(piece) for piece in stream) > 0
    assert len(taken) == 12


@pytest.mark.parametrize("name", ["xlsx", "parquet", "json", "ndjson"])
def test_a_file_that_breaks_off_cannot_be_taken_for_a_whole_one(name: str) -> None:
    def batches() -> Iterator[Batch]:
        yield Batch([["a"], [1], [1.0], [1], [True], [None]])
        raise RuntimeError("the database went away")

    source = Table(COLUMNS, batches(), lambda rows: {"totals": {}, "meta": {}}, {"filters": []})
    got: list[bytes] = []
    with pytest.raises(RuntimeError):
        got.extend(formats.FORMATS[name].write(source))
    content = b"".join(got)
    readers: dict[str, Callable[[bytes], object]] = {
        "json": json.loads,
        "ndjson": lambda lines: ndjson_rows(lines)[1]["totals"],
        "xlsx": lambda archive: zipfile.ZipFile(io.BytesIO(archive)),
        "parquet": parquet_rows,
    }
    with pytest.raises((ValueError, KeyError, zipfile.BadZipFile)):
        readers[name](content)


def test_integers_that_a_double_cannot_hold_are_text_in_a_spreadsheet() -> None:
    counts = [2**53, 2**53 + 1, -(2**53) - 1]
    rows, _ = xlsx_rows(written("xlsx", [[("a", count, None, None, None, None) for count in counts]]))
    assert [row["count"] for row in rows] == [2**53, str(2**53 + 1), str(-(2**53) - 1)]
