"""The frozen statement as a document: what is hashed, mailed, shown and downloaded. Nothing else is ever asked."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from analytics.chargeback.rounding import decimals_for, rounded_total
from analytics.chargeback.shared import SharedLine, shared_json, shared_lines
from analytics.chargeback.usage import Amounts, total
from analytics.currency import Rate, converted, plain
from metricsportal.lib.money import to_picodollars, usd_text

FORMAT: Final = 1
_COUNTS: Final = tuple(field.name for field in fields(Amounts) if field.name != "cost")


@dataclass(frozen=True, slots=True)
class Line:
    """One model; with `adjusts` the correction of that model in an earlier, closed month."""

    model: str
    amounts: Amounts
    adjusts: date | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The team's statement of the month before: its number, and that month's own use (cost in picodollars)."""

    number: str
    month: date
    cost: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class Document:
    """All of a statement. `adjustments` correct earlier months; `shared` adds up to zero over a month's statements.

    Both are part of the total; use and corrections know nothing of what is shared. `rate` is that of the second
    currency at the end of the month, where there was one.
    """

    number: str
    slug: str
    organization: str
    team: str
    unassigned: bool
    month: date
    zone: str
    start: datetime
    end: datetime
    issued_at: datetime
    price_book_version: int
    lines: tuple[Line, ...]
    adjustments: tuple[Line, ...]
    previous: Earlier | None
    rate: Rate | None = None
    shared: tuple[SharedLine, ...] = ()

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """Use of the month, then corrections: what is the cost of requests."""
        return (*self.lines, *self.adjustments)

    @property
    def shown_lines(self) -> tuple[Line, ...]:
        """Those, then what is shared: what adds up to the total."""
        shared = (Line(one.text, Amounts(cost=one.cost), one.adjusts) for one in self.shared)
        return (*self.all_lines, *shared)

    @property
    def total(self) -> Amounts:
        """What the team is charged: use of the month, corrections, and what is shared."""
        return total(line.amounts for line in self.shown_lines)

    @property
    def shared_cost(self) -> int:
        """What came by sharing; negative: what was given away."""
        return sum(one.cost for one in self.shared)

    @property
    def used(self) -> Amounts:
        """The use of the month alone."""
        return total(line.amounts for line in self.lines)

    @property
    def coverage(self) -> tuple[int, int]:
        """Requests charged here with a price and without one: what got a price since does not hide what has none."""
        lines = [line.amounts for line in self.all_lines]
        return sum(max(one.priced_requests, 0) for one in lines), sum(max(one.unpriced_requests, 0) for one in lines)

    @property
    def charged(self) -> Decimal:
        """The total in US dollars as it is displayed: what is converted, so that a reader can do it too."""
        return rounded_total(self.total.cost, decimals_for(self.total.cost))

    @property
    def is_unknown(self) -> bool:
        """Whether there is no total because nothing has a price."""
        return is_unknown(self.total.cost, self.coverage[1], self.shared_cost)


def to_json(document: Document) -> dict[str, Any]:
    """Plain JSON values; money as exact decimal strings, no floats. No key without a rate, or without shared lines."""
    return (
        {
            "format": FORMAT,
            "number": document.number,
            "organization": {"slug": document.slug, "name": document.organization},
            "team": {"name": document.team, "unassigned": document.unassigned},
            "month": _month(document.month),
            "zone": document.zone,
            "start": document.start.isoformat(),
            "end": document.end.isoformat(),
            "issued_at": document.issued_at.isoformat(),
            "currency": "USD",
            "price_book_version": document.price_book_version,
            "lines": [_line_json(line) for line in document.lines],
            "adjustments": [_line_json(line) for line in document.adjustments],
            "total": _amounts_json(document.total),
            "previous": _earlier_json(document.previous),
        }
        | _display_json(document)
        | shared_json(document.shared)
    )


def from_json(value: Mapping[str, Any]) -> Document:
    """The document that `to_json` wrote."""
    return Document(
        number=value["number"],
        slug=value["organization"]["slug"],
        organization=value["organization"]["name"],
        team=value["team"]["name"],
        unassigned=value["team"]["unassigned"],
        month=_first_day(value["month"]),
        zone=value["zone"],
        start=datetime.fromisoformat(value["start"]),
        end=datetime.fromisoformat(value["end"]),
        issued_at=datetime.fromisoformat(value["issued_at"]),
        price_book_version=value["price_book_version"],
        lines=_lines(value["lines"]),
        adjustments=_lines(value["adjustments"]),
        previous=_earlier(value["previous"]),
        rate=_rate(value.get("display")),
        shared=shared_lines(value),
    )


def is_unknown(picodollars: int, unpriced_requests: int, shared: int = 0) -> bool:
    """Whether there is no figure because nothing has a price: such an amount is never shown as zero.

    `shared`: the part of it that came by sharing. What was priced and given away is zero for a reason.
    """
    return unpriced_requests > 0 and not picodollars and not shared


def canonical(value: Mapping[str, Any]) -> bytes:
    """The same bytes for the same document, whatever order a database keeps its keys in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical document, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _month(month: date) -> str:
    return f"{month:%Y-%m}"


def _first_day(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _amounts_json(amounts: Amounts) -> dict[str, Any]:
    counts = asdict(amounts)
    return {name: counts[name] for name in _COUNTS} | {"cost_usd": usd_text(amounts.cost)}


def _line_json(line: Line) -> dict[str, Any]:
    adjusts = {"adjusts": _month(line.adjusts)} if line.adjusts else {}
    return {"model": line.model} | adjusts | _amounts_json(line.amounts)


def _lines(values: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    return tuple(
        Line(
            one["model"],
            Amounts(**{name: one[name] for name in _COUNTS}, cost=to_picodollars(Decimal(one["cost_usd"]))),
            _first_day(one["adjusts"]) if "adjusts" in one else None,
        )
        for one in values
    )


def _earlier_json(earlier: Earlier | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    return {
        "number": earlier.number,
        "month": _month(earlier.month),
        "unpriced_requests": earlier.unpriced_requests,
        "cost_usd": usd_text(earlier.cost),
    }


def _earlier(value: Mapping[str, Any] | None) -> Earlier | None:
    if value is None:
        return None
    cost = to_picodollars(Decimal(value["cost_usd"]))
    return Earlier(value["number"], _first_day(value["month"]), cost, value["unpriced_requests"])


def _display_json(document: Document) -> dict[str, Any]:
    rate = document.rate
    if rate is None:
        return {}
    total_text = None if document.is_unknown else f"{converted(document.charged, rate):f}"
    return {
        "display": {
            "currency": rate.currency,
            "rate": plain(rate.units),
            "effective_from": rate.effective_from.isoformat(),
            "total": total_text,
        }
    }


def _rate(value: Mapping[str, Any] | None) -> Rate | None:
    if value is None:
        return None
    return Rate(value["currency"], Decimal(value["rate"]), datetime.fromisoformat(value["effective_from"]))
