"""CSV that no spreadsheet runs and every reader reads back."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricsportal.lib import csv_stream

TRIGGERS = [
    "=1+1",
    "=1+1;A",
    "+1",
    "-2+3",
    "-2",
    "@SUM(A1)",
    "\t=1+1",
    "\tplain",
    "\r=1+1",
    "\n=1+1",
    "\r\n@x",
    ";=1+1",
    ",=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    "\ufe661+1",
    " \uff1d1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil","x")',
    "=",
    "@",
    "\x00=1",
    "\x0b-1",
]
HARMLESS = ["gpt-5", "a=b", "mail@example.com", "1-2", "'quoted'", "(none)", "", "Ünïcode", "1+1", "a,b", 'say "hi"']


def read_back(text: str) -> list[list[str]]:
    """What an RFC 4180 reader sees."""
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", TRIGGERS)
def test_text_that_a_spreadsheet_would_run_gets_a_quote(text: str) -> None:
    line = csv_stream.line(["before", text, 7])
    assert line.startswith("before,\"'")
    assert line.endswith('",7\r\n')


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert csv_stream.guarded(text) == text
    assert read_back(csv_stream.line(["x", text])) == [["x", text]]


def test_numbers_stay_numbers() -> None:
    cells: list[csv_stream.Cell] = [-1, -0.5, Decimal("-0.00000026"), 1e-07, 1e22, 3.0, True, None, 12_412_907]
    assert csv_stream.line(cells) == "-1,-0.5,-0.00000026,0.0000001,10000000000000000000000,3,true,,12412907\r\n"


def test_header_names_are_guarded_too() -> None:
    assert list(csv_stream.lines(["team", "metadata.=x", "=1+1"], [["Search", None, "v"]])) == [
        'team,metadata.=x,"\'=1+1"\r\n',
        "Search,,v\r\n",
    ]


def test_a_row_of_one_empty_cell_is_still_a_row() -> None:
    assert csv_stream.line([None]) == '""\r\n'


def test_lines_are_made_one_by_one() -> None:
    taken = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            taken.append(number)
            yield [number]

    stream = csv_stream.lines(["n"], rows())
    assert [next(stream), next(stream)] == ["n\r\n", "0\r\n"]
    assert taken == [0]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\x00")), min_size=1, max_size=4), max_size=4))
def test_shape_and_text_survive(rows: list[list[str]]) -> None:
    text = "".join(csv_stream.line(row) for row in rows)
    assert read_back(text) == [[csv_stream.guarded(cell) for cell in row] for row in rows]


@given(st.text())
def test_no_cell_begins_with_a_trigger(text: str) -> None:
    assert not csv_stream.guarded(text).lstrip().startswith(("=", "+", "-", "@"))
