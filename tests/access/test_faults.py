"""Each seeded fault is seen by the matrix: what it reports there is empty without the fault (`test_matrix.py`)."""

from collections import defaultdict
from typing import Final

import pytest

from analytics.query.blocks import MEMORY
from tests.access import faults
from tests.access.rules import expectations
from tests.access.table import ACTORS
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors

pytestmark = pytest.mark.django_db
# Conditions whose loss shows nobody anything, with the reason: another one beside them holds.
HELD_OTHERWISE: Final[dict[str, str]] = {}


def surprises(visitors: Visitors, address: str, method: str, actors: tuple[str, ...] = ACTORS) -> list[str]:
    return Asked(visitors, address, method).by(actors, expectations()[address][method])


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_the_matrix_sees_it(visitors: Visitors, fault: faults.Fault) -> None:
    MEMORY._blocks.clear()
    try:
        with fault.broken():
            for address, method in fault.shows:
                assert surprises(visitors, address, method), f"{fault.what}: nothing showed at {address}"
    finally:
        MEMORY._blocks.clear()


@pytest.mark.slow
def test_no_condition_on_the_organization_can_go_unseen(visitors: Visitors) -> None:
    """F11, for every line of ours that filters by organization and that a reading address passes."""
    passed: dict[str, list[str]] = defaultdict(list)
    for address, methods in expectations().items():
        if "GET" in methods and methods["GET"].own["owner"] == "Y" and not address.startswith("admin/jsi18n"):
            with faults.conditions(lambda site, address=address: passed[site].append(address)):  # type: ignore[misc] # one per turn
                surprises(visitors, address, "GET", ("owner",))
    unseen = {}
    for site, addresses in passed.items():
        with faults.conditions(without=site):
            where = list(dict.fromkeys(addresses))
            if not any(surprises(visitors, one, "GET", ("owner", "viewer", "read_key")) for one in where[:8]):
                unseen[site] = where[:3]
    assert len(passed) > 20
    assert unseen.keys() <= HELD_OTHERWISE.keys(), unseen
