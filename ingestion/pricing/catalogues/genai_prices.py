"""The optional package `genai-prices`: its bundled data becomes a catalogue. Nothing is ever fetched. Pure.

The package is not imported for its types, so that the conversion works on whatever has the same attributes.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import import_module, metadata
from typing import Any, Final

from ingestion.normalisation import provider_id
from ingestion.pricing.arithmetic import REQUEST, STANDARD
from ingestion.pricing.catalogues.base import Catalogue, Key, Point, UnreadableError, part
from ingestion.pricing.plausibility import is_per_piece, scaled
from ingestion.records import UNIT

NAME: Final = "genai-prices"
MISSING: Final = (
    "The package genai-prices is not installed. It is optional: "
    "python -m pip install --require-hashes -r requirements-prices.txt"
)
CLASSES: Final = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "output_reasoning_mtok": "reasoning",
    "input_image_mtok": "image_input",
    "output_image_mtok": "image_output",
    "requests_kcount": REQUEST,
    "web_searches_kcount": f"{UNIT}web_search",
}
# Providers that the package prices by one list and that send under several ids.
PROVIDERS: Final = {"google": ("google", "google-vertex")}

Part = tuple[str, str, int]
"""Token class, service tier, context limit."""


def read() -> Catalogue:
    """The catalogue of the installed package. Raises UnreadableError when there is none."""
    try:
        version = metadata.version(NAME)
        providers = import_module("genai_prices.data").providers
    except (ImportError, AttributeError) as error:
        raise UnreadableError(MISSING) from error
    return convert(providers, version)


def convert(providers: Iterable[Any], version: str) -> Catalogue:
    """The catalogue in the package's list of providers."""
    found = Catalogue(NAME, version)
    for provider in providers:
        for model in provider.models:
            _model(found, provider.id, model)
    return found


def _model(found: Catalogue, provider: str, model: Any) -> None:
    name = f"{provider} {model.id}"
    for refused in _refused_clauses(model.match):
        found.skip(name, f"is also matched by {refused}, which the price book cannot say")
    prices = _Prices(model)
    for note in prices.notes:
        found.skip(name, note)
    found.ignored.update(prices.ignored)
    history = prices.history()
    for one in PROVIDERS.get(provider, (provider,)):
        for kind, text in _matches(model.match):
            for line, points in history.items():
                key = Key(provider_id(one), kind, text.lower(), *line)
                if prices.by_time_of_day:
                    found.skip(name, f"has other prices from {prices.by_time_of_day}, which is not supported", [key])
                else:
                    found.propose(f"{name}: {part(key)}", key, points)


def _clauses(match: Any) -> list[Any]:
    return list(match.or_) if hasattr(match, "or_") else [match]


def _pattern(clause: Any) -> tuple[str, str] | None:
    """Kind and text by which the price book matches the same models."""
    if hasattr(clause, "equals"):
        return "exact", clause.equals
    if hasattr(clause, "starts_with"):
        return None if _is_special(clause.starts_with) else ("prefix", clause.starts_with)
    for name, pattern in (("contains", "*{}*"), ("ends_with", "*{}")):
        text = getattr(clause, name, None)
        if text is not None:
            return None if _is_special(text) else ("glob", pattern.format(text))
    return None


def _is_special(text: str) -> bool:
    return bool(re.search(r"[*?]", text))


def _matches(match: Any) -> list[tuple[str, str]]:
    return [pattern for pattern in map(_pattern, _clauses(match)) if pattern]


def _refused_clauses(match: Any) -> Iterator[str]:
    for clause in _clauses(match):
        if _pattern(clause) is None:
            yield "a regular expression" if hasattr(clause, "regex") else "a combination of conditions"


class _Prices:
    """Prices of a model: those of every request, and the variants that hold for a service tier."""

    def __init__(self, model: Any) -> None:
        listed = model.prices if isinstance(model.prices, list) else None
        self.standard = [(each.constraint, _values(each.prices)) for each in listed or ()]
        if listed is None:
            self.standard = [(None, _values(model.prices))]
        self.variants: list[tuple[str, Any, dict[str, Any]]] = []
        self.notes: list[str] = []
        for variant in model.price_variants or ():
            values, tier = _values(variant.prices), _tier(variant.when)
            if tier:
                self.variants.append((tier, variant.constraint, values))
            elif values:
                when = ", ".join(f"{name} {value}" for name, value in variant.when.items())
                self.notes.append(f"has other prices for {when}, which no request tells")

    @property
    def _constraints(self) -> list[Any]:
        return [constraint for constraint, _ in self.standard] + [constraint for _, constraint, _ in self.variants]

    @property
    def ignored(self) -> set[str]:
        """Price keys of the package that are no token class."""
        every = [values for _, values in self.standard] + [values for _, _, values in self.variants]
        return {name for values in every for name in values if name not in CLASSES}

    @property
    def by_time_of_day(self) -> str | None:
        """Between which hours other prices hold; with the plain ones alone a cost would be wrong, not unknown."""
        hours = [(each.start_time, each.end_time) for each in self._constraints if hasattr(each, "start_time")]
        return ", ".join(f"{_hour(start)} to {_hour(end)} UTC" for start, end in hours) or None

    def history(self) -> dict[Part, tuple[Point, ...]]:
        """Every line with its prices in order of time; a line that a later list lacks ends there."""
        dates = sorted({each.start_date for each in self._constraints if hasattr(each, "start_date")})
        lists = [(None, self._list(None)), *((_midnight(day), self._list(day)) for day in dates)]
        lines = dict.fromkeys(line for _, prices in lists for line in prices)
        return {line: _without_repeats([Point(since, prices.get(line)) for since, prices in lists]) for line in lines}

    def _list(self, day: date | None) -> dict[Part, Decimal]:
        """The prices of a day; None = before the first date."""
        found: dict[tuple[str, str], Any] = {}
        for constraint, values in self.standard:  # the last one in force counts, as a whole
            if _in_force(constraint, day):
                found = {(STANDARD, name): value for name, value in values.items()}
        for tier, constraint, values in self.variants:  # the first one in force counts, price by price
            if _in_force(constraint, day):
                for name, value in values.items():
                    found.setdefault((tier, name), value)
        return {
            (CLASSES[name], tier, context): price
            for (tier, name), value in found.items()
            if name in CLASSES
            for context, price in _contexts(value, name)
        }


def _values(prices: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(prices).items() if value is not None and not name.startswith("_")}


def _tier(when: dict[str, str]) -> str | None:
    if set(when) == {"service_tier"}:
        return when["service_tier"].lower()
    return "batch" if when == {"processing": "batch"} else None


def _in_force(constraint: Any, day: date | None) -> bool:
    if constraint is None:
        return True
    return hasattr(constraint, "start_date") and day is not None and bool(constraint.start_date <= day)


def _contexts(value: Any, name: str) -> Iterator[tuple[int, Decimal]]:
    """Prices by context limit: a tier holds for all tokens of a request above its start."""
    places = -3 if is_per_piece(CLASSES[name]) else 0  # of those the price is per thousand
    yield 0, scaled(getattr(value, "base", value), places)
    for tier in getattr(value, "tiers", ()):
        yield tier.start, scaled(tier.price, places)


def _without_repeats(points: list[Point]) -> tuple[Point, ...]:
    """Without dates at which nothing changes; the first date of a price is kept."""
    kept: list[Point] = []
    for point in points:
        if point.price is None and not kept:
            continue
        if not kept or kept[-1].since is None or kept[-1].price != point.price:
            kept.append(point)
    return tuple(kept)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _hour(at: time) -> str:
    return f"{at:%H:%M}"
