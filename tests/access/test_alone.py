"""What an owner reads is the same with and without another organization in the installation."""

import pytest

from tests.access import alone
from tests.access.visitors import Visitors


@pytest.mark.slow
@pytest.mark.django_db
def test_an_owner_gets_what_they_would_get_alone(visitors: Visitors) -> None:
    """Sums and lists that bear no name too. Answers that differ each time are left out."""
    asked = alone.questions(alone.reading())
    beside = alone.answers(visitors, asked)
    again = alone.answers(visitors, asked)
    unsteady = [one for one in asked if beside[one] != again[one]]
    with alone.without(visitors.world.rival):
        by_themselves = alone.answers(visitors, asked)
    assert len(asked) > 60
    assert len(unsteady) < len(asked) // 4
    assert [one for one in asked if beside[one] != by_themselves[one] and one not in unsteady] == [], unsteady
