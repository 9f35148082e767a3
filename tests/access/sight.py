"""Whether a fault in conditions on the organization is reported: by the matrix, or by an owner who is not alone."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

from analytics.query.blocks import MEMORY
from tests.access import alone, places
from tests.access.conditions import Place, conditions
from tests.access.rules import expectations
from tests.access.test_matrix import Asked
from tests.access.visitors import Visitors, leaks

READS: Final = ("owner",)
"""An owner who belongs to a third organization too."""
WRITES: Final = ("owner", "admin")
"""And an administrator, who owns that one."""
_MOST: Final = 6  # questions that are tried; a line that every page passes is not tried at all of them


Broken = Callable[[], AbstractContextManager[Any]]


class Passed(NamedTuple):
    """One question that comes past a place: `side` is whose things it names."""

    method: str
    address: str
    query: str
    side: str = "own"


class Sight:
    """What everybody is answered without a fault, remembered, and what differs with one."""

    def __init__(self, visitors: Visitors) -> None:
        self.visitors = visitors
        self._beside: dict[tuple[str, Passed], tuple[int, str]] = {}

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
        every = list(where)
        for one in [one for one in every if one.method == "GET" and one.address not in alone.OF_ALL][:_MOST]:
            for actor in who:
                if self._differs(broken, actor, one):
                    return f"{actor} is not alone: {one.side} {one.address} {one.query}"
        for one in [one for one in every if one.method != "GET"][:_MOST]:
            with broken():
                MEMORY._blocks.clear()
                row = expectations()[one.address][one.method]
                found = Asked(self.visitors, one.address, one.method).by(WRITES, row)
            if found:
                return found[0]
        return ""

    def _differs(self, broken: Broken, actor: str, one: Passed) -> bool:
        """Whether the answer is another one when the other organization is gone; not if it is another one each time."""
        with broken():
            got = self._answer(actor, one)
        if leaks(actor, f"/{one.address}", got[1]):
            return True
        if (actor, one) not in self._beside:
            self._beside[actor, one] = self._answer(actor, one)
        if got == self._beside[actor, one] or self._answer(actor, one) != self._beside[actor, one]:
            return False
        with alone.without(self.visitors.world.rival), broken():
            return self._answer(actor, one) != got

    def _answer(self, actor: str, one: Passed) -> tuple[int, str]:
        MEMORY._blocks.clear()
        try:
            answer = Asked(self.visitors, one.address, one.method).about(one.side, actor, slug="acme", query=one.query)
        except Exception as error:  # what is streamed breaks off where its reader is
            return 500, type(error).__name__
        return answer.status, answer.body


def _questions() -> list[Passed]:
    """Everything that an owner may ask or send, about their own and the other organization's."""
    return [Passed("GET", address, "") for address in places.ALSO] + [
        Passed(method, address, query, side)
        for address, methods in expectations().items()
        for method, row in methods.items()
        if method != "*" and row.own["owner"] == "Y"
        for side in (("own", "foreign") if method == "GET" and "<" in address.replace("<slug:slug>", "") else ("own",))
        for query in ("", *(_queries(address) if method == "GET" and side == "own" else ()))
    ]


def _queries(address: str) -> tuple[str, ...]:
    return (*places.ASKED.get(address, ()), *places.PROBED.get(address, ()))
