"""Every address x every method x everybody x objects of one's own, of others, and of nobody (A1)."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final

import pytest
from django.urls import get_resolver

from tests.access import places
from tests.access.asking import METHODS, NOTED, SAFE, Answer, document, routes
from tests.access.rules import Expected, Row, expectations
from tests.access.table import ACTORS
from tests.access.visitors import Visitors, leaks
from tests.access.world import ABSENT

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("many_questions")]
WHERE: Final = "tests/access/table.py"
ADDRESSES: Final = routes()
REFUSED: Final = frozenset("SKN0MR")
# What stands in these names nothing of an organization, or leads on to the form whatever it is.
NO_OBJECT: Final = (
    "password-reset/",
    *(one for one in ADDRESSES if re.fullmatch(r"admin/\w+/\w+/<path:object_id>/", one)),
)
PUBLIC: Final = "sign-in/sso/"  # whoever types an e-mail of its domain is led to a provider: it is no secret
KEYS_OF_PAGES: Final = ("ingest_key", "read_key", "expired_key")  # pages read no key: these stand for all of them
UNDER: Final = {"-": "N0R"}  # what a letter of the table stands for
# Who tries the methods that an address does not offer: everybody of another kind.
KINDS: Final = ("anonymous", "owner", "viewer", "outsider", "ingest_key", "read_key")
OF_ADMINISTRATION: Final = ("anonymous", "viewer")  # a page of it takes long; who is let in is let in with DELETE
HOSTILE: Final = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "on",
    "created_by": "1",
    "user_permissions": "1",
    "digest": "00",
    "email": "mallory@example.com",
    "name": "'\"><script>alert(1)</script>",
    "text": "\x00\ud7ff",
    "post": "yes",
}


def test_the_table_has_every_address() -> None:
    missing = [one for one in ADDRESSES if one not in expectations()]
    gone = [one for one in expectations() if one not in ADDRESSES]
    assert not missing, (
        f"Nobody said who gets what from these addresses. Add a line for each method to TABLE in {WHERE} "
        f"(a model of the administration: to tests/access/administration.py), by the rule that fits in RULES: {missing}"
    )
    assert not gone, f"These addresses are gone; take their lines out of {WHERE}: {gone}"
    assert get_resolver().url_patterns


@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_gets_what_the_table_says(visitors: Visitors, address: str) -> None:
    surprises = [
        one
        for method in METHODS
        for one in (_offered if _row_of(address, method) else _refused)(visitors, address, method)
    ]
    assert not surprises, f"Not as {WHERE} says:\n" + "\n".join(surprises[:40])


def _row_of(address: str, method: str) -> Expected | None:
    found = expectations().get(address, {})
    return found.get(method) or found.get("*")


def _offered(visitors: Visitors, address: str, method: str) -> list[str]:
    """Everybody about their own team's object, another team's, another organization's, and nobody's."""
    row = _row_of(address, method)
    if row is None:
        raise AssertionError("it is offered")
    asked = Asked(visitors, address, method)
    return asked.by(ACTORS, row)


def _refused(visitors: Visitors, address: str, method: str) -> list[str]:
    """A method that has no line: refused, or as harmless as HEAD and OPTIONS."""
    asked, found = Asked(visitors, address, method), []
    reading = _row_of(address, "GET")
    actors: tuple[str, ...] = KINDS
    if address.startswith("admin/"):
        actors = OF_ADMINISTRATION + (("owner",) if method == "DELETE" else ())
    for actor in actors:
        answer = asked.about("own", actor)
        found += asked.harm(actor, "own", answer, may_write=False)
        as_read = {reading.own[actor]} if reading and (method == "HEAD" or address.startswith("admin/")) else set()
        if method == "OPTIONS":
            as_read |= {"Y"}
        if answer.letter not in REFUSED | as_read:
            found.append(f"{method} {address} as {actor}: {answer.letter} ({answer.status}); no line allows it")
    return found


def fits(answer: Answer, letter: str) -> bool:
    """Whether the answer is what the table has."""
    return answer.letter in UNDER.get(letter, letter)


class Asked:
    """One address with one method."""

    def __init__(self, visitors: Visitors, address: str, method: str) -> None:
        self.visitors, self.address, self.method = visitors, address, method
        named = re.findall(r"<(?:\w+:)?(\w+)>(?!teams)", address)
        self.by_id = bool(set(named) - {"slug", "name", "month"}) and not address.startswith(PUBLIC)
        self.by_slug = "<slug:slug>" in address
        self._answers: dict[tuple[str, str], Answer] = {}

    def by(self, actors: Iterable[str], row: Expected) -> list[str]:
        """Everything that is not as the row says."""
        reads_keys = self.address.startswith(("api/", "v1/"))
        asking = [one for one in actors if reads_keys or not one.endswith("_key") or one in KEYS_OF_PAGES]
        return [one for actor in asking for one in (*self.inside(actor, row), *self.outside(actor, row.own))]

    def about(self, side: str, actor: str, *, slug: str | None = None, query: str = "") -> Answer:
        """The answer about the things of a side, in the organization of that slug."""
        path = places.path_of(self.address, self.visitors.world.sides[side], slug)
        if query := "&".join(filter(None, (query, *self._request_by_parameter(side)))):
            path = f"{path}?{query}"
        if (actor, path) not in self._answers:  # the same request to the same rows: whatever it wrote was taken back
            self._answers[actor, path] = self.visitors.ask(actor, self.method, path, **self._sent)
        return self._answers[actor, path]

    def inside(self, actor: str, row: Expected) -> list[str]:
        """Problems with the objects of the organization."""
        found: list[str] = []
        sides: dict[str, Row] = {"own": row.own}
        if self._differs(row) and not (self._stranger(actor, row.own) and self._stranger(actor, row.team)):
            sides["team"] = row.team
        for side, letters in sides.items():
            if str(ABSENT) in places.path_of(self.address, self.visitors.world.sides[side]):
                continue  # what belongs to the whole organization is no team's
            answer = self.about(side, actor)
            found += self.harm(actor, side, answer, may_write=letters[actor] == "Y" and self.method not in SAFE)
            if not fits(answer, letters[actor]):
                found.append(self._line(actor, side, letters[actor], answer))
        for query in places.ASKED.get(self.address, ()) if self.method == "GET" else ():
            answer = self.about("own", actor, query=query)
            found += self.harm(actor, query, answer, may_write=False)
            if not fits(answer, row.own[actor]) or (answer.letter == "Y" and answer.status != 200):
                found.append(self._line(actor, query, row.own[actor], answer))
        return found

    def outside(self, actor: str, row: Row) -> list[str]:
        """Problems with objects of another organization: they are answered as those that do not exist."""
        pairs = []
        if self._stranger(actor, row):
            return []
        if self.by_id:
            pairs.append((("foreign", "acme"), ("absent", "acme")))
        if self.by_slug:
            pairs.append((("foreign", "rival"), ("absent", "absent")))
        found = []
        for (side, slug), nowhere in pairs:
            there = self.about(side, actor, slug=slug)
            at_home = actor == "outsider" and (slug == "rival" or not self.by_slug)
            at_home |= actor == "rival_key" or (actor == "superuser" and self.address.startswith("admin/"))
            found += self.harm(actor, f"{side} in {slug}", there, may_write=at_home and self.method not in SAFE)
            if at_home:
                continue
            absent = self.about(nowhere[0], actor, slug=nowhere[1])
            if (there.status, there.body) != (absent.status, absent.body):
                found.append(f"{self.method} {self.address} as {actor}: foreign is not as absent in {slug}")
            refused = "SK" if row[actor] in "SK" else "0NRM"
            if there.letter not in refused and not self.address.startswith(NO_OBJECT):
                found.append(self._line(actor, f"{side} in {slug}", "0", there))
        return found

    def harm(self, actor: str, about: str, answer: Answer, *, may_write: bool) -> list[str]:
        """What must never be: an error of ours, a string of somebody else, a write by who may not."""
        place = f"{self.method} {self.address} as {actor} about {about}"
        found = [f"{place}: status {answer.status}"] if answer.status >= 500 else []
        found += [f"{place}: {mark} got out" for mark in leaks(actor, "/" + self.address, answer.said)]
        if not self.address.endswith("focus"):  # FOCUS asks for names as they are, and its page says so
            found += [f"{place}: {what} would be run" for what in answer.run]
        if not may_write and answer.writes - NOTED:
            found.append(f"{place}: wrote to {sorted(answer.writes - NOTED)}")
        return found

    def _stranger(self, actor: str, row: Row) -> bool:
        """Not let in whatever it is about: no object is looked at. Two of them are asked about every object still."""
        return row[actor] in "SK" and actor not in ("anonymous", "read_key")

    def _differs(self, row: Expected) -> bool:
        return self.by_id or row.own is not row.team

    def _line(self, actor: str, side: str, wanted: str, answer: Answer) -> str:
        got = f"{answer.letter} ({answer.status} {answer.location})"
        return f"{self.method} {self.address} as {actor} about {side}: {got}, expected {wanted}"

    @cached_property
    def _sent(self) -> dict[str, Any]:
        if self.method in SAFE:
            return {}
        if self.address.startswith(("api/", "v1/")):
            return document(places.SENT.get(self.address, HOSTILE))
        rows = self.visitors.world.sides["foreign"].rows
        fields = HOSTILE | {name: str(rows[name].pk) for name in ("organization", "team", "user")}
        fields |= {"role": "finance" if self.address.startswith("admin/") else "owner"}
        return places.form(fields)

    def _request_by_parameter(self, side: str) -> tuple[str, ...]:
        if not self.address.endswith("requests/one"):
            return ()
        return (f"id={self.visitors.world.sides[side].number('request', 'request_id')}",)
