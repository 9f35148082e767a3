"""CSV by the column is CSV by the cell, whatever the cells hold."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricsportal.lib import csv_columns, csv_stream
from metricsportal.lib.csv_columns import Writer
from metricsportal.lib.money import usd_text
from tests.metricsportal.lib.test_csv_stream import HARMLESS, TRIGGERS, read_back

TEXTS = st.none() | st.text(st.characters(exclude_characters="\x00")) | st.sampled_from([*TRIGGERS, *HARMLESS])
REALS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
WHOLES = st.none() | st.integers(-(2**70), 2**70)
ROWS = st.lists(st.tuples(TEXTS, WHOLES, REALS, WHOLES, st.none() | st.booleans()), max_size=8)


def writers() -> list[Writer]:
    made = (csv_columns.texts, csv_columns.wholes, csv_columns.reals, csv_columns.money, csv_columns.flags)
    return [make() for make in made]


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_columns_read_like_cells(batches: list[list[tuple[Any, ...]]]) -> None:
    kept = writers()
    written = "".join(csv_columns.lines([*zip(*rows, strict=True)], kept) for rows in batches if rows)
    cell_by_cell = [
        csv_stream.line([text, whole, real, None if pico is None else Decimal(usd_text(pico) or 0), flag])
        for rows in batches
        for text, whole, real, pico, flag in rows
    ]
    assert written == "".join(cell_by_cell)


@pytest.mark.parametrize("text", [*TRIGGERS, *HARMLESS])
def test_every_payload_is_guarded_in_every_row(text: str) -> None:
    """The second time it comes out of what the writer remembers."""
    rows = read_back(csv_columns.lines([[text, "x", text], [1, -2, 3]], writers()[:2]))
    guarded = "'" + text if text in TRIGGERS else text
    assert rows == [[guarded, "1"], ["x", "-2"], [guarded, "3"]]


@pytest.mark.parametrize("writer", range(5))
def test_a_row_of_one_empty_cell_is_still_a_row(writer: int) -> None:
    assert csv_columns.lines([[None]], [writers()[writer]]) == '""\r\n'


def test_no_rows_are_no_lines() -> None:
    assert csv_columns.lines([[], []], writers()[:2]) == ""


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_columns, "_REMEMBERED", 10)
    memory = csv_columns.Remembered(csv_stream.cell)
    names = [f"=name-{number}" for number in range(35)]
    assert [memory[name] for name in names] == [f'"\'{name}"' for name in names]
    assert len(memory) <= 10


def test_remembered_numbers_do_not_mix_with_each_other() -> None:
    values = [1, 1.0, 0, -0.0, 0.0, 1e-07, 2.5]
    assert csv_columns.lines([values], [csv_columns.reals()]).split("\r\n")[:-1] == [
        "1",
        "1",
        "0",
        "0",
        "0",
        "0.0000001",
        "2.5",
    ]
