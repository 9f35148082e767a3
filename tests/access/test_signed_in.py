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
# Where the page does not ask, the service behind it still does: seen when that is gone too.
_TWICE: Final = (
    *("people/invitations/<int:number>/revoke", "people/<int:number>/second-factor", "teams/<int:number>/rename"),
    *("sign-in/remove", "sign-in/only", "sign-in/second-factor"),
)
_MAPPED: Final = ("mapping/<int:number>/move", "mapping/<int:number>/remove")
_UPLOADED: Final = tuple(f"upload/<uuid:upload_id>/{one}" for one in ("read", "import", "discard"))
_STATED: Final = ("months/<str:month>/close", "mails/rules", "mails/<int:mail>/again")
TWICE: Final = frozenset(
    f"o/<slug:slug>/{part}/{one}"
    for part, many in (("settings", _TWICE), ("ingestion", (*_MAPPED, *_UPLOADED)), ("statements", _STATED))
    for one in many
)


def test_there_are_many() -> None:
    kinds = [what for _, what in FAULTS]
    assert {what: kinds.count(what) > 10 for what in WHO} == dict.fromkeys(WHO, True), kinds


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[1]} {fault[0]}")
def test_the_matrix_sees_it(visitors: Visitors, fault: tuple[str, str]) -> None:
    address, what = fault
    with FAULTS[fault]():
        seen = _is_seen(visitors, address, what)
        assert seen is not (what == "capability" and address in TWICE)
        if not seen:
            with signed_in.services():
                assert _is_seen(visitors, address, what)


def _is_seen(visitors: Visitors, address: str, what: str) -> bool:
    """Whether somebody who is not let in gets further than the table says, by any method of the address."""
    asked = [(Asked(visitors, address, method), row) for method, row in expectations()[address].items()]
    return any(one.by((who,), row) for one, row in asked for who in WHO[what])
