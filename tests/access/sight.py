"""Whether a fault in conditions on the organization is reported: by the matrix, or by an owner who is not alone."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from django.db import connection

from analytics.query.blocks import MEMORY
from teams.models import Organization
from tests.access import alone, places
from tests.access.asking import document
from tests.access.conditions import Place, conditions
from tests.access.rules import expectations
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors, leaks
from tests.access.writing import SENT, Passed, form_of

READS: Final = ("owner",)
"""An owner who belongs to a third organization too."""
WRITES: Final = ("owner", "admin")
"""And an administrator, who owns that one."""
_MOST: Final = 6  # questions that are tried; a line that every page passes is not tried at all of them
_CHANGE: Final = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM) ("\w+")')
_BY_ID: Final = re.compile(r'WHERE "\w+"\."id" (?:= %s|IN \((?:%s|, )+\))$')
_SESSION: Final = "django_session"

Broken = Callable[[], AbstractContextManager[Any]]
Got = tuple[int, str, tuple[str, ...]]
"""Status, body, and what was changed of which rows."""


class Sight:
    """What everybody is answered without a fault, remembered, and what differs with one."""

    def __init__(self, visitors: Visitors) -> None:
        self.visitors = visitors
        self._beside: dict[tuple[str, Passed], Got] = {}

    def places(self) -> dict[Place, list[Passed]]:
        """Every place that an owner's questions pass, with the questions: first those that pass few others."""
        found: dict[Place, dict[Passed, None]] = {}
        for one in _questions():
            with conditions(lambda place, one=one: found.setdefault(place, {}).setdefault(one)):  # type: ignore[misc] # one per turn
                self._beside["owner", one] = self._answer("owner", one)
        many = Counter(one for passed in found.values() for one in passed)
        return {place: sorted(passed, key=many.__getitem__) for place, passed in sorted(found.items())}

    def sees(self, broken: Broken, where: Iterable[Passed], who: tuple[str, ...] = READS) -> str:
        """By whom the fault is seen; "" = nobody."""
        every = [one for one in where if one.address not in alone.OF_ALL]
        reading = [one for one in every if one.method == "GET"][:_MOST]
        forms = [one for one in every if one in SENT]
        others = [one for one in every if one.method != "GET" and one not in SENT][:_MOST]
        for one in (*reading, *forms, *others):
            for actor in who:
                if self._differs(broken, actor, one):
                    return f"{actor} is not alone: {one.method} {one.side} {one.address} {one.query}"
        for one in others:
            with broken():
                MEMORY._blocks.clear()
                row = expectations()[one.address][one.method]
                found = Asked(self.visitors, one.address, one.method).by(WRITES, row)
            if found:
                return found[0]
        return ""

    def _differs(self, broken: Broken, actor: str, one: Passed) -> bool:
        """Whether the answer is another one when other organizations are gone; not if it is another one each time."""
        with broken():
            got = self._answer(actor, one)
        if one.method == "GET" and leaks(actor, f"/{one.address}", got[1]):
            return True
        if (actor, one) not in self._beside:
            self._beside[actor, one] = self._answer(actor, one)
        plain, again = self._beside[actor, one], self._answer(actor, one)
        if got == plain or (plain != again and not got[0] != plain[0] == again[0]):
            return False
        if one.method != "GET":
            return True
        with alone.without(*Organization.objects.exclude(pk=self.visitors.world.acme.pk)), broken():
            return self._answer(actor, one) != got

    def _answer(self, actor: str, one: Passed) -> Got:
        MEMORY._blocks.clear()
        try:
            with _changes() as changed:
                answer = self._asked(actor, one)
        except Exception as error:  # what is streamed breaks off where its reader is
            return 500, type(error).__name__, ()
        return answer.status, alone.steady(f"{answer.location}\n{answer.body}"), tuple(changed)

    def _asked(self, actor: str, one: Passed) -> Any:
        if one in SENT:
            path = places.path_of(one.address, self.visitors.world.sides[one.side])
            fields = form_of(self.visitors, one)
            sent = document(fields) if one.address.startswith("api/") else places.form(fields)
            return self.visitors.ask(actor, one.method, path, **sent)
        return Asked(self.visitors, one.address, one.method).about(one.side, actor, slug="acme", query=one.query)


@contextmanager
def _changes() -> Iterator[list[str]]:
    """How many rows of which tables are written inside; and which, where they are named by id."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        written = _CHANGE.match(sql)
        if written and _SESSION not in sql:
            which = params if _BY_ID.search(sql) else ""
            found.append(f"{written[1]} {written[2]} {context['cursor'].rowcount} {which}")
        return result

    with connection.execute_wrapper(note):
        yield found


def _questions() -> list[Passed]:
    """Everything that an owner may ask or send, about their own and the other organization's."""
    return [
        *(Passed("GET", address) for address in places.ALSO),
        *SENT,
        *(
            Passed(method, address, query, side)
            for address, methods in expectations().items()
            for method, row in methods.items()
            if method != "*" and row.own["owner"] == "Y"
            for side in _sides(method, address)
            for query in ("", *(_queries(address) if method == "GET" and side == "own" else ()))
        ),
    ]


def _sides(method: str, address: str) -> tuple[str, ...]:
    by_id = "<" in address.replace("<slug:slug>", "")
    return ("own", "foreign") if method == "GET" and by_id else ("own",)


def _queries(address: str) -> tuple[str, ...]:
    return (*places.ASKED.get(address, ()), *places.PROBED.get(address, ()))
