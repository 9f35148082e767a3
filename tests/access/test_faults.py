"""Each seeded fault is seen by the matrix: what it reports there is empty without the fault (`test_matrix.py`)."""

import pytest

from analytics.query.blocks import MEMORY
from tests.access import faults
from tests.access.rules import expectations
from tests.access.table import ACTORS
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors

pytestmark = pytest.mark.django_db


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
