"""Two sides beside each other: theirs, ours, the difference; per model, UTC day and token class. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from analytics.reconciliation.names import pairs
from analytics.reconciliation.ours import Ours, Row
from analytics.reconciliation.values import ALL_INPUT, Figure, folded

BASES: Final = ("contracted", "list", "billed")
"""Which of our costs is compared; a provider charges the contracted one."""


class Measure(StrEnum):
    """What is compared."""

    COST = "cost"
    QUANTITY = "quantity"
    REQUESTS = "requests"


class Line(NamedTuple):
    """One class of one model on one day; "" = all. None: that side has no such line."""

    day: date
    model: str
    token_class: str
    theirs: int | None
    ours: int | None

    @property
    def difference(self) -> int:
        """Theirs less ours."""
        return (self.theirs or 0) - (self.ours or 0)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of lines under one name."""

    name: str
    theirs: int | None
    ours: int | None

    @property
    def difference(self) -> int:
        """Theirs less ours."""
        return (self.theirs or 0) - (self.ours or 0)


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of one measure, and their sums."""

    measure: Measure
    lines: tuple[Line, ...]

    @property
    def total(self) -> Total:
        """Of all lines."""
        return _total("", self.lines)

    def by(self, key: Callable[[Line], str]) -> list[Total]:
        """Sums by what `key` makes of a line, in its order."""
        sorted_out: dict[str, list[Line]] = {}
        for line in self.lines:
            sorted_out.setdefault(key(line), []).append(line)
        return [_total(name, sorted_out[name]) for name in sorted(sorted_out)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a page shows. `matched`: our names by theirs; `rows`: our rows under their names."""

    tables: dict[Measure, Table]
    matched: dict[str, list[str]]
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]
    ours: Ours
    basis: str

    def table(self, measure: Measure) -> Table | None:
        """None: the file does not say."""
        return self.tables.get(measure)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _total(name: str, lines: Sequence[Line]) -> Total:
    return Total(name, _sum(line.theirs for line in lines), _sum(line.ours for line in lines))


def compare(figures: Sequence[Figure], ours: Ours, *, provider: str, basis: str = BASES[0]) -> Comparison:
    """Set a bill beside our rows: of one provider, and of no known one where the bill names the model."""
    rows, matched = _of_provider(figures, ours, provider)
    whole_input = any(one.token_class == ALL_INPUT for one in figures)
    tables = {}
    for measure in Measure:
        said = [one for one in figures if getattr(one, measure) is not None]
        if said:
            tables[measure] = _table(measure, said, rows, basis, whole_input=whole_input)
    return Comparison(tables, matched, tuple(rows), tuple(figures), ours, basis)


def _of_provider(figures: Sequence[Figure], ours: Ours, provider: str) -> tuple[list[Row], dict[str, list[str]]]:
    mine = [row for row in ours.rows if not provider or row.provider in (provider, "")]
    found = pairs((row.model for row in mine), (one.model for one in figures))
    rows, matched = [], dict[str, set[str]]()
    for row in mine:
        theirs = found.get(row.model)
        if theirs is not None:
            matched.setdefault(theirs, set()).add(row.model)
        elif provider and not row.provider:
            continue  # of whoever; nothing says that it belongs on this bill
        rows.append(_renamed(row, theirs or row.model))
    return rows, {name: sorted(names) for name, names in matched.items()}


def _renamed(row: Row, model: str) -> Row:
    return Row(
        *(row.day, row.provider, model, row.token_class, row.tier, row.state, row.quantity, row.requests),
        *(row.list, row.contracted, row.billed, row.price),
    )


def _table(measure: Measure, said: Sequence[Figure], rows: Sequence[Row], basis: str, *, whole_input: bool) -> Table:
    """Where the file tells no classes, or no models, apart, ours are taken together as well."""
    has_models, has_classes = any(one.model for one in said), any(one.token_class for one in said)
    column = basis if measure is Measure.COST else measure.value
    sums: dict[tuple[date, str, str], list[int | None]] = {}

    def add(day: date, model: str, token_class: str, side: int, number: int) -> None:
        token_class = folded(token_class, whole_input=whole_input) if has_classes else ""
        cells = sums.setdefault((day, model if has_models else "", token_class), [None, None])
        cells[side] = (cells[side] or 0) + number

    for one in said:
        add(one.day, one.model, one.token_class, 0, getattr(one, measure))
    for row in rows:
        number = getattr(row, column)
        if number:
            add(row.day, row.model, row.token_class, 1, number)
    return Table(measure, tuple(Line(*key, *sides) for key, sides in sorted(sums.items())))
