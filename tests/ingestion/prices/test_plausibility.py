"""Which prices the book takes."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from ingestion.models.prices import PriceEntry, TokenClass
from ingestion.pricing.arithmetic import REQUEST, TOKEN_CLASSES, per_token, per_unit
from ingestion.pricing.plausibility import scaled, unfit
from ingestion.records import TOKEN_FIELDS, is_token_class


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
        ("0.0000000000010", "request", None),
        ("0.0000000000001", "request", "12 decimals"),
        ("100", "unit:image", None),
        ("100.01", "unit:image", "absurd: more than 100 USD per image"),
        ("0.000000000001", "unit:image", None),
        ("0.0000000000001", "unit:image", "12 decimals in USD per image"),
        ("0.0000001", "image_output", "6 decimals"),
        ("-0.01", "unit:image", "negative"),
        ("NaN", "input", "not a number"),
        ("Infinity", "input", "not a number"),
    ],
)
def test_prices_are_exact_positive_and_believable(price: str, token_class: str, reason: str | None) -> None:
    found = unfit(Decimal(price), token_class)
    assert (found is None) if reason is None else (reason in (found or ""))


def test_what_fits_a_piece_is_a_whole_number_of_picodollars() -> None:
    assert per_unit(Decimal("0.000000000001")) == 1
    with pytest.raises(ValueError, match="decimals"):
        per_unit(Decimal("0.0000000000001"))


@pytest.mark.parametrize("name", [*TOKEN_CLASSES, REQUEST, *TokenClass.values, "unit:a", "unit:_9", f"unit:{'u' * 32}"])
def test_classes(name: str) -> None:
    assert is_token_class(name)


@pytest.mark.parametrize(
    "name",
    ["", "input_tokens", "Input", "input ", "unit", "unit:", "units:a", "unit:A", "unit:a-b", "unit:a\n", "unit:٣"],
)
def test_what_is_no_class(name: str) -> None:
    assert not is_token_class(name)


def test_the_closed_lists_of_classes_are_the_same() -> None:
    assert list(TokenClass.values) == [*TOKEN_CLASSES, REQUEST]
    fields = {field.removesuffix("_tokens") for field in TOKEN_FIELDS}
    assert fields == {*TOKEN_CLASSES}
    with pytest.raises(ValidationError, match="unit:"):
        PriceEntry(token_class="words").clean()
    PriceEntry(token_class="unit:web_search").clean()


def test_what_fits_is_a_whole_number_of_picodollars() -> None:
    assert per_token(Decimal("0.000001")) == 1
    with pytest.raises(ValueError, match="decimals"):
        per_token(Decimal("0.0000001"))


def test_scaling_rounds_nothing() -> None:
    long = Decimal("1." + "1" * 60)
    assert str(scaled(long, 6)) == "1111111." + "1" * 54
    assert scaled(Decimal("1.5e-07"), 6) == Decimal("0.15")
