"""Displayed amounts add up to the displayed total, whatever the amounts."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.chargeback.rounding import decimals_for, largest_remainder, rounded_total
from metricsportal.lib.money import PICO_PER_USD

DECIMALS = st.sampled_from([2, 4])
AMOUNTS = st.lists(
    st.one_of(
        st.integers(-(2**70), 2**70),
        st.integers(-(10**9), 10**9),
        st.integers(-500, 500).map(lambda half: half * 5 * 10**9),  # halves of a cent: ties everywhere
    ),
    max_size=40,
)


def unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def exact(picodollars: int) -> Decimal:
    return Decimal(picodollars).scaleb(-12)


@hypothesis_settings(max_examples=500)
@given(AMOUNTS, DECIMALS)
@example([], 2)
@example([-1], 2)
@example([10**10 - 1] * 40, 2)
def test_displayed_rows_add_up_to_the_displayed_total(amounts: list[int], decimals: int) -> None:
    rows = largest_remainder(amounts, decimals)
    assert sum(rows) == rounded_total(sum(amounts), decimals)
    assert [row.as_tuple().exponent for row in rows] == [-decimals] * len(amounts)
    assert all(abs(row - exact(amount)) < unit(decimals) for row, amount in zip(rows, amounts, strict=True))


@given(AMOUNTS, DECIMALS)
def test_amounts_that_need_no_rounding_stay(amounts: list[int], decimals: int) -> None:
    quantum = PICO_PER_USD // 10**decimals
    rows = largest_remainder(amounts, decimals)
    whole = [(row, exact(amount)) for row, amount in zip(rows, amounts, strict=True) if amount % quantum == 0]
    assert [row for row, _ in whole] == [amount for _, amount in whole]


@given(st.integers(-(2**70), 2**70), DECIMALS)
def test_the_total_is_the_nearest(amount: int, decimals: int) -> None:
    total = rounded_total(amount, decimals)
    assert abs(total - exact(amount)) <= unit(decimals) / 2
    assert total == -rounded_total(-amount, decimals)


@pytest.mark.parametrize(
    ("usd", "decimals", "total"),
    [
        ("0.005", 2, "0.00"),
        ("0.015", 2, "0.02"),
        ("0.025", 2, "0.02"),
        ("0.025000000001", 2, "0.03"),
        ("-0.005", 2, "0.00"),
        ("-0.015", 2, "-0.02"),
        ("-0.025", 2, "-0.02"),
        ("0.00005", 4, "0.0000"),
        ("0.00015", 4, "0.0002"),
        ("123456789.995", 2, "123456790.00"),
        ("0", 4, "0.0000"),
    ],
)
def test_halves_go_to_the_even_one(usd: str, decimals: int, total: str) -> None:
    assert format(rounded_total(int(Decimal(usd) * 10**12), decimals), "f") == total


@pytest.mark.parametrize(
    ("amounts", "rows", "total"),
    [
        # One cent is missing after rounding down: it goes to the largest remainder.
        (["33.333333", "33.333333", "33.333334"], ["33.33", "33.33", "33.34"], "100.00"),
        # Two are missing: they go to the first ones among equals.
        (["33.336", "33.336", "33.336"], ["33.34", "33.34", "33.33"], "100.01"),
        # Each would round down by itself; together they are two cents.
        (["100.004", "0.004", "0.004", "0.004", "0.004"], ["100.01", "0.01", "0.00", "0.00", "0.00"], "100.02"),
        # A correction that takes back: -0.006 lies between -0.01 and 0.00.
        (["120.003", "-0.006"], ["120.00", "0.00"], "120.00"),
        # Down is away from zero here: -120.01 and -0.01 are a cent too little.
        (["-120.007", "-0.007"], ["-120.00", "-0.01"], "-120.01"),
        ([], [], "0.00"),
    ],
)
def test_worked_examples(amounts: list[str], rows: list[str], total: str) -> None:
    picodollars = [int(Decimal(amount) * 10**12) for amount in amounts]
    assert [format(row, "f") for row in largest_remainder(picodollars, 2)] == rows
    assert format(rounded_total(sum(picodollars), 2), "f") == total


@pytest.mark.parametrize(
    ("usd", "decimals"), [("0", 4), ("99.999999999999", 4), ("100", 2), ("-99.99", 4), ("-100", 2), ("5000000", 2)]
)
def test_cents_from_a_hundred_dollars_on(usd: str, decimals: int) -> None:
    assert decimals_for(int(Decimal(usd) * 10**12)) == decimals
