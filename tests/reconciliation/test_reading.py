"""What is taken and what is refused, and with which words."""

import io
from datetime import date

import pytest

from analytics.reconciliation import reading
from analytics.reconciliation.formats import BY_NAME
from analytics.reconciliation.generic import Columns
from analytics.reconciliation.names import pairs
from analytics.reconciliation.reading import Bill, read
from analytics.reconciliation.values import BillError
from tests.reconciliation import traffic

COSTS = "start_time,amount_value,amount_currency,line_item\n"
DAY = "1795132800"


def read_text(text: str, encoding: str = "utf-8") -> Bill:
    """A file of that text."""
    return read(io.BytesIO(text.encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_separators(encoding: str, separator: str, end: str) -> None:
    text = traffic.ANTHROPIC_COST.replace(",", separator).replace("\n", end)
    bill = read_text(text, encoding)
    assert bill.figures == read_text(traffic.ANTHROPIC_COST).figures
    assert (bill.lines, bill.first, bill.last) == (5, date(2026, 11, 20), date(2026, 11, 20))


def test_unknown_columns_are_listed_and_days_without_use_are_covered() -> None:
    bill = read_text(traffic.OPENAI_USAGE)
    assert bill.ignored == ["end_time", "project_id", "start_time_iso"]
    assert (bill.first, bill.last) == (date(2026, 11, 20), date(2026, 11, 22))


def test_rows_of_one_day_model_and_class_are_added_up() -> None:
    row = f'{DAY},0.1,usd,"m, input"\n'
    (figure,) = read_text(COSTS + row * 3).figures
    assert figure.cost == 300_000_000_000


@pytest.mark.parametrize(
    ("amount", "cost", "rounded"),
    [
        ("0.1", 10**11, 0),
        ("1e-12", 1, 0),
        ("0.0000000000005", 0, 1),
        ("0.0000000000015", 2, 1),
        ("0.12345678901234567", 123456789012, 1),
        ("0.100000000000000", 10**11, 0),
        ("-2.5", -2_500_000_000_000, 0),
        ("900000000.000000000001", 900_000_000_000_000_000_001, 0),
    ],
)
def test_amounts_are_never_floats(amount: str, cost: int, rounded: int) -> None:
    bill = read_text(f'{COSTS}{DAY},{amount},usd,"m, input"\n')
    assert ([one.cost for one in bill.figures], bill.rounded) == ([cost], rounded)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty."),
        ("\n\n", "no header"),
        (COSTS, "no use and no costs"),
        ("a,b\n1,2\n", "No format has these columns: a, b."),
        (COSTS.replace("amount_currency,", "") + "1,2,3\n", "no column amount_currency"),
        (f"{COSTS}{DAY},1\n", "Line 2 has 2 cells, but the header has 4. Is the file cut off?"),
        (f"{COSTS}{DAY},1,usd,x,5\n", "Line 2 has 5 cells"),
        (f'{COSTS}{DAY},1,usd,"x', "Line 2 is not CSV"),
        (f"{COSTS}{DAY},1,usd,a\0b\n", "zero byte"),
        (f"{COSTS}{DAY},many,usd,x\n", "Line 2, column amount_value: “many” is no number"),
        (f"{COSTS}{DAY},NaN,usd,x\n", "is no number"),
        (f"{COSTS}{DAY},1e99,usd,x\n", "more than a billion"),
        (f"{COSTS}{DAY},1,eur,x\n", "“eur” is not usd"),
        (f"{COSTS}{DAY},1,usd,x\n{DAY},1,eur,x\n", "Line 3, column amount_currency: “eur” is a second currency"),
        (f"{COSTS}yesterday,1,usd,x\n", "Line 2, column start_time: “yesterday” is no day"),
        (f"{COSTS}2026-02-30,1,usd,x\n", "is no day"),
        (f"{COSTS}0001-01-01,1,usd,x\n", "no bill is about"),
        (f"{COSTS}{DAY},1,usd,{'x' * 300}\n", "longer than 256"),
        (f"{COSTS}2020-01-01,1,usd,x\n2026-01-01,1,usd,x\n", "more than 366 days"),
        (COSTS.replace("\n", ",line_item\n") + f"{DAY},1,usd,x,y\n", "two columns line_item"),
        (traffic.OPENAI_USAGE.replace("3000,300,1000", "999,300,1000"), "“999” is less than the sum of its parts"),
        (traffic.OPENAI_USAGE.replace(",3000,", ",-3,"), "no whole number"),
        (traffic.OPENAI_USAGE.replace(",3000,", ",3.5,"), "no whole number"),
    ],
)
def test_refusals_say_where(text: str, says: str) -> None:
    with pytest.raises(BillError) as refused:
        read_text(text)
    assert says in str(refused.value)


def test_what_is_no_text_is_refused() -> None:
    for content in (b"\xff\xfe\x00", b"PK\x03\x04\xff\xff" * 9, COSTS.encode() + b"\xe9\n"):
        with pytest.raises(BillError):
            read(io.BytesIO(content))


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f'{DAY},1,usd,"m{number}, input"\n' for number in range(5))
    for name, limit, says in (
        ("MOST_BYTES", 100, "is larger than"),
        ("MOST_LINES", 4, "more than 4 lines"),
        ("MOST_FIGURES", 4, "more than 4 combinations"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reading, name, limit)
            with pytest.raises(BillError, match=says):
                read_text(COSTS + rows)
    assert len(read_text(COSTS + rows).figures) == 5


def test_a_chosen_format_names_what_is_missing() -> None:
    with pytest.raises(BillError, match=r"no column usage_date_utc, model, token_type, cost_usd\. Its columns are"):
        read(io.BytesIO(traffic.OPENAI_COSTS.encode()), BY_NAME["anthropic-cost"])


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({}, "Name the column of the day"),
        ({"day": "d"}, "Name the column of the model"),
        ({"day": "d", "model": "m"}, "nothing to compare"),
        ({"day": "d", "model": "m", "quantity": "q"}, "the other way round"),
        ({"day": "d", "model": "m", "quantity": "q", "token_class": "c", "output": "o"}, "Name either"),
        ({"day": "d", "model": "d", "cost": "c"}, "cannot say two things"),
    ],
)
def test_mappings_that_cannot_be(chosen: dict[str, str], says: str) -> None:
    with pytest.raises(BillError, match=says):
        Columns.of({f"column_{role}": name for role, name in chosen.items()})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("gpt-4o", "GPT-4o"),
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("openai/gpt-4o", "gpt-4o-2024-08-06"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("claude-3-7-sonnet-latest", "Claude Sonnet 3.7"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
    ],
)
def test_names_of_the_same_model(ours: str, theirs: str) -> None:
    assert pairs([ours], [theirs, "gpt-4o-mini", "claude-opus-4"]) == {ours: theirs}


def test_names_that_are_not_certain_stay_apart() -> None:
    assert pairs(["gpt-4o"], ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20"]) == {}
    assert pairs(["gpt-4", "gpt-4o-2024-08-06"], ["gpt-4o-mini", "gpt-4o-2024-08-06"]) == {
        "gpt-4o-2024-08-06": "gpt-4o-2024-08-06"
    }
