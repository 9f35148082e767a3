"""Any other file: which of its columns says what is chosen on the page. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from analytics.reconciliation.formats import Format
from analytics.reconciliation.row import Row
from analytics.reconciliation.values import ALL_INPUT, OTHER, BillError, Figure

NAME: Final = "generic"
LABEL: Final = "Another file: columns chosen below"
_WORDS: Final = {
    "input_no_cache": "input",
    "prompt": "input",
    "prompt_tokens": "input",
    "uncached_input": "input",
    "cached": "cache_read",
    "cached_input": "cache_read",
    "input_cache_read": "cache_read",
    "input_cache_write_5m": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "completion": "output",
    "completion_tokens": "output",
    "reasoning": "output",
}
_CLASSES: Final = frozenset(
    {
        *("input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input", "output"),
        *("audio_output", "image_output", ALL_INPUT),
    }
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns; "" = the file has none. With `token_class` a row is one class of `quantity`."""

    day: str = ""
    model: str = ""
    token_class: str = ""
    quantity: str = ""
    input: str = ""
    cache_read: str = ""
    cache_write: str = ""
    output: str = ""
    requests: str = ""
    cost: str = ""
    currency: str = ""

    @classmethod
    def of(cls, typed: Mapping[str, str]) -> "Columns":
        """From a form's fields. Raises BillError for what cannot be a mapping."""
        found = cls(**{one.name: typed.get(f"column_{one.name}", "").strip()[:200] for one in fields(cls)})
        for name in ("day", "model"):
            if not getattr(found, name):
                raise BillError(f"Name the column of the {name}.")
        if bool(found.quantity) != bool(found.token_class):
            raise BillError("A column of the token class needs one of the quantity beside it, and the other way round.")
        if found.quantity and found.per_class:
            raise BillError("Name either one column of the quantity with one of its class, or a column per class.")
        if not (found.quantity or found.per_class or found.cost):
            raise BillError("Name a column of the cost, or of tokens: without one there is nothing to compare.")
        named = found.named
        if len({*named}) != len(named):
            raise BillError("A column cannot say two things.")
        return found

    @property
    def per_class(self) -> dict[str, str]:
        """Class by its column."""
        chosen = {"cache_read": self.cache_read, "cache_write": self.cache_write, "output": self.output}
        whole = "input" if self.cache_read or self.cache_write else ALL_INPUT
        return {column: name for name, column in ({whole: self.input} | chosen).items() if column}

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that was named."""
        return tuple(column for one in fields(self) if (column := getattr(self, one.name)))


def format_of(chosen: Columns) -> Format:
    """An entry like those of the providers."""

    def figures(row: Row) -> Iterator[Figure]:
        return _figures(row, chosen)

    return Format(NAME, LABEL, "", chosen.named, (), chosen.day, figures)


def _figures(row: Row, chosen: Columns) -> Iterator[Figure]:
    day, model = row.day(chosen.day), row.text(chosen.model)
    if chosen.currency:
        row.currency(chosen.currency)
    token_class = _class(row.text(chosen.token_class)) if chosen.token_class else ""
    cost = row.money(chosen.cost) if chosen.cost else None
    quantity = row.count(chosen.quantity) if chosen.quantity else None
    if quantity is not None or cost is not None:
        yield Figure(day, model, token_class, quantity=quantity, cost=cost)
    for column, name in chosen.per_class.items():
        count = row.count(column)
        if count:
            yield Figure(day, model, name, quantity=count)
    if chosen.requests and (requests := row.count(chosen.requests)) is not None:
        yield Figure(day, model, requests=requests)


def _class(text: str) -> str:
    words = text.lower().replace("-", " ").replace(" tokens", "").replace("_tokens", "")
    name = "_".join(words.split())
    name = _WORDS.get(name, name)
    return name if name in _CLASSES else OTHER
