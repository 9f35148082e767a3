"""F12 at each address: where being signed in is enough, the matrix reports it."""

from typing import Final

import pytest

from tests.access import signed_in
from tests.access.rules import expectations
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FAULTS: Final = signed_in.faults()
# Who is not let in, by what is asked for: the first of them who gets further shows it.
WHO: Final = {
    "membership": ("outsider", "nobody"),
    "capability": ("member", "viewer", "finance"),
    "scope": ("nobody", "ingest_key", "read_key"),
}


def test_there_are_many() -> None:
    kinds = [what for _, what in FAULTS]
    assert {what: kinds.count(what) > 10 for what in WHO} == dict.fromkeys(WHO, True), kinds


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[1]} {fault[0]}")
def test_the_matrix_sees_it(visitors: Visitors, fault: tuple[str, str]) -> None:
    address, what = fault
    with FAULTS[fault]():
        for method, row in expectations()[address].items():
            asked = Asked(visitors, address, method)
            if any(asked.by((one,), row) for one in WHO[what]):
                return
    raise AssertionError(f"{what} is not asked for at {address}, and nothing shows it")
