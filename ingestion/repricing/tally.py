"""What a reprice looked at and what it changes: sums that add up over chunks and travel as JSON. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from ingestion.records import CostState


@dataclass(slots=True)
class Sums:
    """Requests, how many of them change, and what all of them cost before and after, in picodollars.

    `unknown_before`, `unknown_after`: how many of them have no cost; they add nothing to the sums.
    """

    requests: int = 0
    changed: int = 0
    before: int = 0
    after: int = 0
    unknown_before: int = 0
    unknown_after: int = 0

    def add(self, other: "Sums") -> None:
        """Add in place."""
        self.requests += other.requests
        self.changed += other.changed
        self.before += other.before
        self.after += other.after
        self.unknown_before += other.unknown_before
        self.unknown_after += other.unknown_after

    @property
    def difference(self) -> int:
        """After minus before."""
        return self.after - self.before


_UNPRICED: Final = CostState.UNPRICED.value
# Why requests that were looked at keep what they have, whatever the book says.
OTHER: Final = "other"
TOO_LARGE: Final = "too_large"
KEPT: Final = {
    OTHER: "stored under (other): their model name is not known any more",
    TOO_LARGE: "would cost more than 9,223,372 USD, which cannot be stored",
}


@dataclass(slots=True)
class Tally:
    """Totals, by model id, by team id, by change of state, by closed month, and what was kept with its reason.

    An unknown cost adds nothing; how many have none is told by the changes of state.
    """

    total: Sums = field(default_factory=Sums)
    models: dict[int | None, Sums] = field(default_factory=dict)
    teams: dict[int | None, Sums] = field(default_factory=dict)
    states: dict[tuple[str, str], int] = field(default_factory=dict)
    closed: dict[str, Sums] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add in place."""
        self.total.add(other.total)
        _merge(self.models, other.models.items())
        _merge(self.teams, other.teams.items())
        _merge(self.closed, other.closed.items())
        for change, count in other.states.items():
            self.states[change] = self.states.get(change, 0) + count
        for reason, count in other.kept.items():
            self.kept[reason] = self.kept.get(reason, 0) + count

    def count(self, key: "Key", sums: Sums) -> None:
        """Add the sums of requests that share everything in the key."""
        sums.unknown_before, sums.unknown_after = (sums.requests * (state == _UNPRICED) for state in key[2:4])
        self.total.add(sums)
        _merge(self.models, [(key[0], sums)])
        _merge(self.teams, [(key[1], sums)])
        if key[4]:
            _merge(self.closed, [(key[4], sums)])
        change = (key[2], key[3])
        if sums.changed and key[2] != key[3]:
            self.states[change] = self.states.get(change, 0) + sums.changed

    def to_json(self) -> dict[str, Any]:
        """Plain lists, because JSON knows no keys that are numbers, NULL or pairs."""
        return {
            "total": list(astuple(self.total)),
            "models": [[key, *astuple(sums)] for key, sums in self.models.items()],
            "teams": [[key, *astuple(sums)] for key, sums in self.teams.items()],
            "states": [[*change, count] for change, count in self.states.items()],
            "closed": [[month, *astuple(sums)] for month, sums in self.closed.items()],
            "kept": self.kept,
        }


Key = tuple[int | None, int | None, str, str, str]
"""Model id, team id, state before, state after, closed month or nothing."""


def tally_of(value: Mapping[str, Any]) -> Tally:
    """The tally of a JSON object; an empty one for an empty object."""
    if not value:
        return Tally()
    return Tally(
        Sums(*value["total"]),
        {key: Sums(*sums) for key, *sums in value["models"]},
        {key: Sums(*sums) for key, *sums in value["teams"]},
        {(old, new): count for old, new, count in value["states"]},
        {month: Sums(*sums) for month, *sums in value["closed"]},
        dict(value["kept"]),
    )


def _merge(into: dict[Any, Sums], items: Iterable[tuple[Any, Sums]]) -> None:
    for key, sums in items:
        into.setdefault(key, Sums()).add(sums)
