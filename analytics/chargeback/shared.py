"""The third kind of lines of a statement: costs that were taken off it, or put on it, by a rule of sharing. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from metricsportal.lib.money import to_picodollars, usd_text

_WORDS: Final = {"even": "evenly", "usage": "by usage", "fixed": "in fixed shares"}


def words_of(method: str) -> str:
    """How a rule splits, for people."""
    return _WORDS[method]


@dataclass(frozen=True, slots=True)
class SharedLine:
    """One share of a source, or with "" as `percent` what is taken off because it is shared.

    `account`: the virtual account that is the source; None is what belongs to no team. Cost in picodollars, signed.
    With `adjusts` it corrects the sharing of an earlier, closed month.
    """

    text: str
    source: str
    account: int | None
    method: str
    percent: str
    cost: int
    adjusts: date | None = None

    @property
    def is_share(self) -> bool:
        """Whether it is what a target gets."""
        return bool(self.percent)


def split(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Whole picodollars in proportion to the weights: what is left over goes to the largest remainders, then in order.

    Adds up to the amount exactly. Weights are not negative, and not all of them zero.
    """
    whole = sum(weights.values())
    parts = {key: divmod(amount * weight, whole) for key, weight in sorted(weights.items())}
    left = amount - sum(floor for floor, _ in parts.values())
    first = sorted(parts, key=lambda key: -parts[key][1])[:left]
    return {key: floor + (key in first) for key, (floor, _) in parts.items()}


def percentage(part: int, whole: int) -> str:
    """With at most two decimals, as far as they say anything: 12.5, 33.33."""
    hundredths = (20_000 * part + whole) // (2 * whole)
    if part and not hundredths:
        return "under 0.01"
    return f"{Decimal(hundredths).scaleb(-2):f}".rstrip("0").rstrip(".")


def shared_json(lines: Iterable[SharedLine]) -> dict[str, Any]:
    """The part of a document; nothing at all where nothing is shared, so that such documents stay what they were."""
    found = [_line_json(line) for line in lines]
    return {"shared": found} if found else {}


def shared_lines(value: Mapping[str, Any]) -> tuple[SharedLine, ...]:
    """The lines of a document that `shared_json` wrote a part of."""
    return tuple(_line(one) for one in value.get("shared", ()))


def _line_json(line: SharedLine) -> dict[str, Any]:
    return {
        "text": line.text,
        "source": line.source,
        "account_id": line.account,
        "method": line.method,
        "percent": line.percent or None,
        "cost_usd": usd_text(line.cost),
    } | ({"adjusts": f"{line.adjusts:%Y-%m}"} if line.adjusts else {})


def _line(value: Mapping[str, Any]) -> SharedLine:
    return SharedLine(
        text=value["text"],
        source=value["source"],
        account=value["account_id"],
        method=value["method"],
        percent=value["percent"] or "",
        cost=to_picodollars(Decimal(value["cost_usd"])),
        adjusts=date.fromisoformat(f"{value['adjusts']}-01") if "adjusts" in value else None,
    )
