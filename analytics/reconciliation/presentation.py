"""A comparison in words: what the page and the CSV show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from analytics.reconciliation.comparing import Comparison, Line, Measure, Table, Total
from analytics.reconciliation.evidence import Reason
from analytics.reconciliation.values import class_name
from metricsportal.lib import csv_stream, formats
from metricsportal.lib.money import usd_text

MOST_LINES: Final = 100
"""Lines of one table on the page; the CSV has all."""
_TITLES: Final = {Measure.COST: "Cost", Measure.QUANTITY: "Tokens", Measure.REQUESTS: "Requests"}
_HEADER: Final = ("measure", "day", "model", "class", "theirs", "ours", "difference", "percent", "standing")


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a table."""

    name: str
    theirs: str
    ours: str
    difference: str
    percent: str
    standing: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One measure: its total, then what it is made of."""

    title: str
    key: str
    total: Shown
    models: list[Shown]
    days: list[Shown]
    classes: list[Shown]
    lines: list[tuple[str, str, Shown]]
    line_count: int
    more: int


def standing(theirs: int | None, ours: int | None) -> str:
    """Which side a line is missing on."""
    if ours is None:
        return "only on the bill"
    return "only here" if theirs is None else ""


def percent(difference: int, ours: int | None) -> Decimal | None:
    """Of ours."""
    if not ours:
        return None
    return (Decimal(difference) * 100 / Decimal(ours)).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


def _number(measure: Measure, number: int | None) -> str:
    return formats.usd(number) if measure is Measure.COST else formats.exact(number)


def _shown(measure: Measure, name: str, one: Total | Line) -> Shown:
    share = percent(one.difference, one.ours)
    plus = "+" if one.difference > 0 else ""
    difference = f"{plus}{_number(measure, one.difference)}" if one.difference else "0"
    return Shown(
        name,
        _number(measure, one.theirs),
        _number(measure, one.ours),
        difference,
        formats.NO_VALUE if share is None else f"{share:+,.2f} %" if share else "0 %",
        standing(one.theirs, one.ours),
        not one.difference,
    )


def _model(name: str, compared: Comparison) -> str:
    ours = [one for one in compared.matched.get(name, []) if one != name]
    also = f" = {', '.join(ours)}" if ours else ""
    return f"{name or '(not named)'}{also}"


def _section(table: Table, compared: Comparison) -> Section:
    measure = table.measure
    by_size = sorted((line for line in table.lines if line.difference), key=lambda line: -abs(line.difference))
    return Section(
        _TITLES[measure],
        measure.value,
        _shown(measure, "Total", table.total),
        [_shown(measure, _model(one.name, compared), one) for one in table.by(lambda line: line.model)],
        [_shown(measure, one.name, one) for one in table.by(lambda line: line.day.isoformat())],
        [_shown(measure, class_name(one.name), one) for one in table.by(lambda line: line.token_class)],
        [
            (line.day.isoformat(), class_name(line.token_class), _shown(measure, _model(line.model, compared), line))
            for line in by_size[:MOST_LINES]
        ],
        len(table.lines),
        max(len(by_size) - MOST_LINES, 0),
    )


def sections(compared: Comparison) -> list[Section]:
    """Cost, tokens, requests: what the file says."""
    return [_section(table, compared) for table in compared.tables.values()]


def amount(reason: Reason) -> str:
    """What a reason could explain."""
    return formats.usd(reason.amount) if reason.amount is not None else formats.NO_VALUE


def shown_reasons(found: Sequence[Reason]) -> list[tuple[Reason, str]]:
    """Reasons with their amounts."""
    return [(reason, amount(reason)) for reason in found]


def csv_lines(compared: Comparison) -> Iterator[str]:
    """All lines."""
    return csv_stream.lines(
        _HEADER, (_csv(table.measure, line) for table in compared.tables.values() for line in table.lines)
    )


def _csv(measure: Measure, line: Line) -> tuple[csv_stream.Cell, ...]:
    def cell(number: int | None) -> csv_stream.Cell:
        # A number that a program wrote: its sign is no formula.
        return number if measure is not Measure.COST or number is None else Decimal(usd_text(number) or "0")

    return (
        measure.value,
        line.day.isoformat(),
        line.model,
        line.token_class,
        cell(line.theirs),
        cell(line.ours),
        cell(line.difference),
        percent(line.difference, line.ours),
        standing(line.theirs, line.ours),
    )
