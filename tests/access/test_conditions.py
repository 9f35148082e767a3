"""F11, generated: no condition on the organization is lost unseen, at any line that an owner's questions pass."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import pytest

from tests.access.conditions import conditions
from tests.access.sight import Passed, Sight
from tests.access.visitors import Visitors

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@dataclass(frozen=True)
class Held:
    """Why the loss of a condition alone changes no answer: what else holds, and where it shows when both are gone."""

    why: str
    by: frozenset[str] = frozenset()
    also: str = ""
    shows: tuple[Passed, ...] = ()


HELD: Final[dict[str, Held]] = {}
# Seen in the ordinary run too: a condition, and the question that shows it.
SAMPLE: Final[dict[str, Passed]] = {}


@pytest.mark.slow
def test_no_condition_is_lost_unseen(visitors: Visitors) -> None:
    sight = Sight(visitors)
    found = sight.places()
    assert len(found) > 100
    unseen = {
        place.name: where[:3]
        for place, where in found.items()
        if not sight.sees(partial(conditions, without=frozenset({place.name})), where)
    }
    assert {name: where for name, where in unseen.items() if name not in HELD} == {}
    assert sorted(HELD) == sorted(unseen), "what is seen needs no explanation"


@pytest.mark.slow
@pytest.mark.parametrize("name", HELD)
def test_where_another_line_holds_it_is_missed_with_it(visitors: Visitors, name: str) -> None:
    held = HELD[name]
    both = partial(conditions, without=held.by | {name}, also=held.also)
    assert Sight(visitors).sees(both, held.shows), held.why


@pytest.mark.parametrize("name", SAMPLE)
def test_a_lost_condition_is_seen(visitors: Visitors, name: str) -> None:
    assert Sight(visitors).sees(partial(conditions, without=frozenset({name})), [SAMPLE[name]])
