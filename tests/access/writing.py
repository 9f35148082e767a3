"""What an owner sends in true forms: it comes past conditions that nothing else passes, and shows where one is lost."""

from typing import Final, NamedTuple

from tests.access.neighbour import HOSTING, THEIRS, THEIRS_TOO
from tests.access.visitors import Visitors


class Passed(NamedTuple):
    """One question that comes past a place: `side` is whose things it names, `fields` what its form holds."""

    method: str
    address: str
    query: str = ""
    side: str = "own"
    fields: tuple[tuple[str, str], ...] = ()


def _sent(address: str, *, side: str = "own", verb: str = "POST", **fields: str) -> Passed:
    return Passed(verb, address, "", side, tuple(fields.items()))


_SETTINGS: Final = "o/<slug:slug>/settings/"
_STATEMENTS: Final = "o/<slug:slug>/statements/"
_RENAME: Final = "<int:number>/rename"
# Each is answered otherwise, or changes something else, where rows of others count. `@thing`: its id there.
SENT: Final[tuple[Passed, ...]] = (
    # Names that only the other organization has.
    _sent(f"{_SETTINGS}teams", name=THEIRS),
    _sent(f"{_SETTINGS}teams/{_RENAME}", name=THEIRS),
    _sent(f"{_SETTINGS}callers/{_RENAME}", name=THEIRS),
    _sent(f"{_SETTINGS}accounts/{_RENAME}", name=THEIRS),
    _sent(f"{_SETTINGS}accounts", name=THEIRS),
    _sent(f"{_SETTINGS}models", name=THEIRS, provider="openai"),
    _sent(f"{_SETTINGS}models?show=virtual", name=THEIRS_TOO),
    # Ids of the other organization's.
    *(
        _sent(f"{_SETTINGS}{kind}/<int:number>/merge", into=f"@{thing}")
        for kind, thing in (("teams", "team"), ("callers", "gateway_user"), ("accounts", "account"))
    ),
    _sent(f"{_SETTINGS}callers/move", id="@gateway_user", team="0"),
    _sent(f"{_SETTINGS}accounts/move", id="@account", team="0"),
    _sent(f"{_SETTINGS}accounts/move", id="@account", team="@team"),
    _sent(f"{_STATEMENTS}shared/", source=HOSTING, method="even", since="2026-12"),
    _sent(f"{_STATEMENTS}shared/", source=THEIRS, method="even", since="2026-12"),
    _sent(f"{_STATEMENTS}shared/", source="Unassigned", method="even", since="2026-12"),
    _sent(f"{_STATEMENTS}shared/", source="Unassigned", method="even", since="2026-12", team="@team"),
    _sent(f"{_SETTINGS}keys", name="one", scopes="read", team="@team"),
    _sent(f"{_SETTINGS}people/invite", email="new@acme.example", role="member", team="@team", team_role="viewer"),
    # A domain of the other organization's, which is proven.
    _sent(f"{_SETTINGS}sign-in/domain", domain="people-3.example.com"),
    _sent(f"{_SETTINGS}sign-in/remove"),
    _sent(f"{_SETTINGS}sign-in/only"),
    # Somebody who belongs elsewhere too.
    _sent(f"{_SETTINGS}people/<int:number>/remove", side="elsewhere"),
    _sent(f"{_SETTINGS}people/<int:number>/role", side="elsewhere", role="member"),
    _sent(f"{_SETTINGS}people/<int:number>/second-factor", side="elsewhere"),
    # What was closed, chosen, tried or used up elsewhere.
    _sent(f"{_STATEMENTS}months/2026-11/close", unpriced_too="on"),
    _sent(f"{_STATEMENTS}mails/test", kind="weekly"),
    _sent(f"{_STATEMENTS}mails/mine", kind="daily"),
    _sent("admin/ingestion/metadatakey/<path:object_id>/change/", registered="on"),
    _sent("api/v1/saved-views/<str:view_id>/default/organization", verb="PUT"),
    _sent("api/v1/saved-views/<str:view_id>/default/organization", verb="DELETE"),
)


def form_of(visitors: Visitors, one: Passed) -> dict[str, str]:
    """What its form holds, with the ids of the other organization's things."""
    theirs = visitors.world.sides["foreign"]
    return {name: str(theirs.number(text[1:])) if text.startswith("@") else text for name, text in one.fields}
