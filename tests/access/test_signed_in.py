"""F12 at each address: where being signed in is enough, the matrix reports it."""

from typing import Final

import pytest

from tests.access import signed_in
from tests.access.places import form
from tests.access.rules import expectations
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("many_questions")]
FAULTS: Final = signed_in.faults()
# Who is not let in, by what is asked for: the first of them who gets further shows it.
WHO: Final = {
    "membership": ("outsider", "nobody"),
    "capability": ("member", "viewer", "finance"),
    "scope": ("nobody", "ingest_key", "read_key"),
}
# Where the page does not ask, what it calls still does: seen when that is gone too.
_TWICE: Final = {
    "bills": ("", "<int:number>/", "<int:number>/csv", "<int:number>/delete"),
    "ingestion": (
        *("mapping/<int:number>/move", "mapping/<int:number>/remove"),
        *(f"upload/<uuid:upload_id>/{one}" for one in ("read", "import", "discard")),
    ),
    "settings": (
        *("people/invitations/<int:number>/revoke", "people/<int:number>/second-factor", "teams/<int:number>/rename"),
        *("sign-in/remove", "sign-in/only", "sign-in/second-factor", "sign-in/domain"),
    ),
    "statements": (
        *("months/<str:month>/close", "mails/rules", "mails/<int:mail>/again", "mails/mine", "mails/test"),
        *("shared/<int:rule>/switch", "shared/<int:rule>/delete"),
    ),
}
TWICE: Final = {(f"o/<slug:slug>/{part}/{one}", "capability") for part, many in _TWICE.items() for one in many}
# Asked with a team of another organization, which is not there for anybody: asked below without one.
WATCH: Final = ("o/<slug:slug>/budgets/watch", "membership")


def test_there_are_many() -> None:
    kinds = [what for _, what in FAULTS]
    assert {what: kinds.count(what) > 10 for what in WHO} == dict.fromkeys(WHO, True), kinds


@pytest.mark.parametrize("fault", [one for one in FAULTS if one != WATCH], ids=lambda fault: f"{fault[1]} {fault[0]}")
def test_the_matrix_sees_it(visitors: Visitors, fault: tuple[str, str]) -> None:
    address, what = fault
    with FAULTS[fault]():
        seen = _is_seen(visitors, address, what)
        assert seen is (fault not in TWICE)
        if not seen:
            with signed_in.services():
                assert _is_seen(visitors, address, what)


def test_a_watch_of_no_team(visitors: Visitors) -> None:
    sent = form({"team": "", "minimum": "10"})
    assert visitors.ask("outsider", "POST", "/o/acme/budgets/watch", **sent).status == 404
    with FAULTS[WATCH](), signed_in.services():  # what it calls asks for a capability
        assert visitors.ask("outsider", "POST", "/o/acme/budgets/watch", **sent).status != 404


def _is_seen(visitors: Visitors, address: str, what: str) -> bool:
    """Whether somebody who is not let in gets further than the table says, by any method of the address."""
    asked = [(Asked(visitors, address, method), row) for method, row in expectations()[address].items()]
    return any(one.by((who,), row) for one, row in asked for who in WHO[what])
