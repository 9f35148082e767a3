"""Which prices the book takes."""

from decimal import Decimal

import pytest

from ingestion.pricing.arithmetic import per_token
from ingestion.pricing.plausibility import scaled, unfit


@pytest.mark.parametrize(
    ("price", "token_class", "reason"),
    [
        ("0", "input", None),
        ("0E-30", "input", None),
        ("0.000001", "input", None),
        ("0.0000010", "input", None),
        ("1E+1", "output", None),
        ("10000", "output", None),
        ("0.0000001", "input", "decimals"),
        ("0.18000000000000002", "input", "decimals"),
        ("0.1" + "0" * 40 + "1", "input", "decimals"),  # rounded to 28 digits it would be 0.1
        ("-0.000001", "input", "negative"),
        ("10000.000001", "output", "absurd"),
        ("1E+999999", "output", "absurd"),
        ("100", "request", None),
        ("100.01", "request", "absurd"),
        ("NaN", "input", "not a number"),
        ("Infinity", "input", "not a number"),
    ],
)
def test_prices_are_exact_positive_and_believable(price: str, token_class: str, reason: str | None) -> None:
    found = unfit(Decimal(price), token_class)
    assert (found is None) if reason is None else (reason in (found or ""))


def test_what_fits_is_a_whole_number_of_picodollars() -> None:
    assert per_token(Decimal("0.000001")) == 1
    with pytest.raises(ValueError, match="decimals"):
        per_token(Decimal("0.0000001"))


def test_scaling_rounds_nothing() -> None:
    long = Decimal("1." + "1" * 60)
    assert str(scaled(long, 6)) == "1111111." + "1" * 54
    assert scaled(Decimal("1.5e-07"), 6) == Decimal("0.15")
