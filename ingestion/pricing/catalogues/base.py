"""What a catalogue says, as values: prices by key with their dates, what was left out and why. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ingestion.pricing.arithmetic import STANDARD
from ingestion.pricing.plausibility import unfit

CATALOGUE: Final = "catalogue:"
"""How the source of every imported entry begins."""
_LONGEST: Final = {"provider": 64, "model_match": 256, "service_tier": 32}
_LARGEST_CONTEXT: Final = 10**12
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_VERSION: Final = re.compile(r"[A-Za-z0-9._+-]{1,20}")


class UnreadableError(ValueError):
    """A source that cannot be read at all; the message is a sentence for people."""


class Key(NamedTuple):
    """What one line of the price book prices, whatever its date."""

    provider: str
    match_kind: str
    model_match: str
    token_class: str
    service_tier: str = STANDARD
    context_above: int = 0


class Point(NamedTuple):
    """A price from an instant on. `since` None = the catalogue has no date; `price` None = no price from then on."""

    since: datetime | None
    price: Decimal | None


class Skipped(NamedTuple):
    """Something of the catalogue that is not imported."""

    what: str
    reason: str


@dataclass
class Catalogue:
    """One edition of a catalogue. `withheld`: keys that it prices in a way the book cannot hold; they are no gaps."""

    name: str
    version: str
    prices: dict[Key, tuple[Point, ...]] = field(default_factory=dict)
    withheld: set[Key] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)
    _skipped: dict[Skipped, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UnreadableError("A catalogue's name is 1 to 32 of a-z, 0-9, dot, hyphen and underscore.")
        if not _VERSION.fullmatch(self.version):
            raise UnreadableError(f"The version “{printable(self.version)}” of the catalogue is no version.")

    @property
    def source(self) -> str:
        """What the entries name as their source."""
        return f"{origin(self.name)}{self.version}"

    @property
    def skipped(self) -> list[Skipped]:
        """Everything that was left out, each once."""
        return list(self._skipped)

    def skip(self, what: str, reason: str, keys: Iterable[Key] = ()) -> None:
        """Leave something out; entries of those keys stay as they are."""
        self._skipped[Skipped(printable(what), reason)] = None
        self.withheld.update(keys)

    def propose(self, what: str, key: Key, points: Sequence[Point]) -> None:
        """Take prices of a key, or leave them out with the reason. The first mention of a key counts."""
        reason = _unfit_key(key) or _unfit_price(key, points)
        if reason:
            self.skip(what, reason, [key])
        elif self.prices.setdefault(key, tuple(points)) != tuple(points):
            self.skip(what, "has another price earlier in the catalogue")


def origin(name: str) -> str:
    """How the sources of every version of a catalogue begin."""
    return f"{CATALOGUE}{name}@"


def printable(text: str) -> str:
    """The text for people, without characters that steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)[:200]


def part(key: Key) -> str:
    """Class, service tier and context limit of a key."""
    limits = [key.service_tier] if key.service_tier != STANDARD else []
    limits += [f"above {key.context_above:,}"] if key.context_above else []
    return f"{key.token_class} ({', '.join(limits)})" if limits else key.token_class


def instant(text: str) -> datetime:
    """A day (its midnight) or a time, in UTC unless it says otherwise. Raises ValueError."""
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _unfit_key(key: Key) -> str | None:
    for name, longest in _LONGEST.items():
        text: str = getattr(key, name)
        if not text or not text.isprintable():
            return f"{name} is empty or holds characters that cannot be printed"
        if len(text) > longest:
            return f"{name} is longer than {longest} characters"
    if key.match_kind != "glob" and re.search(r"[*?]", key.model_match):
        return "the name of the model holds * or ?"
    if not 0 <= key.context_above <= _LARGEST_CONTEXT:
        return "the context limit is no number of tokens"
    return None


def _unfit_price(key: Key, points: Iterable[Point]) -> str | None:
    reasons = (unfit(point.price, key.token_class) for point in points if point.price is not None)
    return next((reason for reason in reasons if reason), None)
