"""What all hold together is limited; one alone is not."""

import pytest

from metricsportal.lib.budget import Budget, ExhaustedError, Share


def test_shares_together_stay_within_the_limit() -> None:
    budget = Budget()
    with Share(budget) as first, Share(budget) as second:
        first.grow(60, most=100)
        second.grow(40, most=100)
        with pytest.raises(ExhaustedError):
            second.grow(1, most=100)
        with pytest.raises(ExhaustedError):
            first.grow(1, most=100)
        assert budget.held == 100


def test_one_alone_always_fits() -> None:
    budget = Budget()
    with Share(budget) as alone:
        alone.grow(60, most=100)
        alone.grow(600, most=100)
        with Share(budget) as other, pytest.raises(ExhaustedError):
            other.grow(1, most=100)


def test_everything_is_given_back_whatever_happens() -> None:
    budget = Budget()
    with Share(budget) as first, Share(budget) as second:
        first.grow(60, most=100)
        with pytest.raises(ExhaustedError):
            second.grow(60, most=100)
    assert budget.held == 0
