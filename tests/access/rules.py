"""The table as values: for an address and a method, what each actor must get."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.access.administration import ADMINISTRATION
from tests.access.table import ACTORS, RULES, TABLE

Row = dict[str, str]
"""Letter by actor."""

# Who of the administration may: owner and admin, finance, superuser.
_SEES: Final = {
    "finance": "YYY",
    "managers": "YNY",
    "operators": "NNY",
    "none": "NNN",
}


@dataclass(frozen=True)
class Expected:
    """What everybody gets from an address with a method: about their own team's object, and another team's."""

    own: Row
    team: Row


@dataclass(frozen=True)
class Administered:
    """A model of the administration: what stands for it, and who may what."""

    thing: str
    see: str
    add: str
    change: str
    delete: str


@cache
def rules() -> dict[str, Row]:
    """Every rule by its name."""
    found = {}
    for line in RULES.strip().splitlines():
        name, letters = re.split(r"\s{2,}", line.strip(), maxsplit=1) if len(line) > 24 else (line, "")
        name, letters = line[:24].strip(), line[24:].replace(" ", "")
        found[name] = dict(zip(ACTORS, letters, strict=True))
    return found


@cache
def administration() -> dict[str, Administered]:
    """Every line of the administration, by app and model."""
    lines = [line.split() for line in ADMINISTRATION.strip().splitlines() if not line.startswith("#")]
    return {model: Administered(*rest) for model, *rest in lines}


@cache
def expectations() -> dict[str, dict[str, Expected]]:
    """By address and method."""
    found: dict[str, dict[str, Expected]] = {}
    for line in filter(None, TABLE.splitlines()):
        method, address, names = re.split(r"\s+", line.strip(), maxsplit=2)
        own, _, team = (part.strip() for part in names.partition("|"))
        found.setdefault("" if address == "(home)" else address, {})[method] = Expected(
            rules()[own], rules()[team or own]
        )
    for model, administered in administration().items():
        for address, method, expected in _of_model(f"admin/{model}/", administered):
            found.setdefault(address, {})[method] = expected
    return found


def _of_model(prefix: str, one: Administered) -> Iterator[tuple[str, str, Expected]]:
    row = prefix + "<path:object_id>/"
    for method in ("GET", "POST"):
        yield prefix, method, _row(one.see, elsewhere="Y")
        yield f"{prefix}add/", method, _row(one.add, elsewhere=_SEES[one.add][0])
        yield f"{row}delete/", method, _row(one.delete)
        yield f"{row}history/", method, _row(one.see, without="R")
        yield row, method, _row("finance", elsewhere="Y")  # leads to the form, whatever the id
    yield f"{row}change/", "GET", _row(one.see)
    yield f"{row}change/", "POST", _row(one.change)


def _row(who: str, *, without: str = "N", elsewhere: str = "-") -> Expected:
    """`without`: what somebody gets who may not. `elsewhere`: the administrator of another organization."""
    managers, finance, operators = list(_SEES[who].replace("N", without))
    row = dict.fromkeys(ACTORS, "S") | {
        "owner": managers,
        "admin": managers,
        "finance": finance,
        "superuser": operators,
        "outsider": elsewhere,
    }
    return Expected(row, row)
