"""Money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricsportal.lib.money import to_picodollars, usd_rounded, usd_text


@given(st.integers(-(2**63), 2**63))
def test_text_is_exact_and_never_scientific(picodollars: int) -> None:
    text = usd_text(picodollars)
    assert text is not None
    assert "e" not in text.lower()
    assert to_picodollars(Decimal(text)) == picodollars


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [
        (None, None),
        (0, "0"),
        (1, "0.000000000001"),
        (260_000, "0.00000026"),
        (-1_500_000_000_000, "-1.5"),
        (2 * 10**12, "2"),
    ],
)
def test_text(picodollars: int | None, text: str | None) -> None:
    assert usd_text(picodollars) == text


@pytest.mark.parametrize(
    ("amount", "picodollars"),
    [
        ("0.0000000000005", 0),
        ("0.0000000000015", 2),
        ("0.0000000000025", 2),
        ("-0.0000000000015", -2),
        ("2.5e-6", 2500000),
    ],
)
def test_half_a_picodollar_goes_to_the_even_one(amount: str, picodollars: int) -> None:
    assert to_picodollars(Decimal(amount)) == picodollars


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [
        (0, "0.00"),
        (1_234_567_891_234_567, "1,234.57"),
        (15_000_000, "0.000015"),
        (5_000_000_000, "0.0050"),
        (1, "0.000000000001"),
        (-15_000_000, "-0.000015"),
    ],
)
def test_rounding_for_people_never_reads_as_zero(picodollars: int, text: str) -> None:
    assert usd_rounded(picodollars) == text
