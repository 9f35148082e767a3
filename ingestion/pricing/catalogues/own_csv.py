"""Our own CSV: the columns of the price book, one price per row. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from ingestion.normalisation import provider_id
from ingestion.pricing.arithmetic import REQUEST, STANDARD, TOKEN_CLASSES
from ingestion.pricing.catalogues.base import Catalogue, Key, Point, UnreadableError, instant, part, printable
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.records import is_token_class
from metricsportal.lib import csv_stream

NAME: Final = "csv"
COLUMNS: Final = (
    "provider",
    "model",
    "match",
    "token_class",
    "price",
    "context_above",
    "service_tier",
    "effective_from",
)
_NEEDED: Final = ("model", "token_class", "price")
_MATCHES: Final = ("exact", "prefix", "glob")
_PRICE: Final = re.compile(r"-?\d{1,20}(\.\d{1,40})?", re.ASCII)
_EXAMPLES: Final = (
    ("openai", "example-model", "exact", "input", Decimal("1.25"), 0, STANDARD, ""),
    ("openai", "example-model", "exact", "output", Decimal(10), 0, STANDARD, ""),
    ("openai", "example-model", "exact", "input", Decimal("2.50"), 200_000, STANDARD, ""),
    ("anthropic", "example-model", "exact", "unit:web_search", Decimal("0.01"), 0, STANDARD, ""),
    ("*", "example-family-*", "glob", "output", Decimal("0.60"), 0, "batch", "2026-01-01"),
)


def template() -> str:
    """A file to fill in: the header and what rows look like."""
    return "".join(csv_stream.lines(COLUMNS, _EXAMPLES))


def read(content: bytes, *, name: str = NAME, version: str) -> Catalogue:
    """The catalogue in a file. Raises UnreadableError for what is no such file."""
    found = Catalogue(name, version)
    points: dict[Key, list[Point]] = {}
    try:
        for line, cells in _rows(content):
            try:
                key, point = _read(cells)
            except ValueError as error:
                found.skip(f"line {line}: {cells.get('model', '')}", str(error), _withheld(cells))
                continue
            known = points.setdefault(key, [])
            if any(other.since == point.since for other in known):
                found.skip(f"line {line}: {key.model_match}", "the same price stands in an earlier row")
            else:
                known.append(point)
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableError(f"This is not CSV in UTF-8: {error}") from error
    for key, several in points.items():
        if key not in found.withheld:
            found.propose(f"{key.provider} {key.model_match}: {part(key)}", key, several)
    return found


def _rows(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    _check(header)
    for cells in reader:
        if any(cells):
            values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            yield reader.line_num, values if len(cells) == len(header) else {"model": values.get("model", "")}


def _check(header: Sequence[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in header]
    if missing or unknown or len(set(header)) != len(header):
        words = f"missing {', '.join(missing)}" if missing else ""
        words += f"{'; ' * bool(words)}unknown {', '.join(map(printable, unknown))}" if unknown else ""
        raise UnreadableError(
            f"The first line names the columns, separated by commas, each once: {', '.join(COLUMNS)}."
            + f" Here: {words}." * bool(words)
        )


def _read(cells: Mapping[str, str]) -> tuple[Key, Point]:
    """Key and price of a row. Raises ValueError with the reason."""
    key = _key(cells)
    text = cells["price"]
    if text and not _PRICE.fullmatch(text):
        raise ValueError("price is not a decimal number such as 0.15")
    try:
        since = instant(cells["effective_from"]) if cells.get("effective_from") else None
    except ValueError:
        raise ValueError("effective_from is not a day or a time such as 2026-01-31") from None
    return key, Point(since, Decimal(text) if text else None)


def _key(cells: Mapping[str, str]) -> Key:
    if "price" not in cells:
        raise ValueError("the row has more or fewer cells than the header")
    match, token_class = (cells.get("match") or "exact").lower(), cells["token_class"].lower()
    if match not in _MATCHES:
        raise ValueError(f"match is none of {', '.join(_MATCHES)}")
    if not is_token_class(token_class):
        raise ValueError(f"token_class is none of {', '.join((*TOKEN_CLASSES, REQUEST))}, unit:NAME")
    context = cells.get("context_above") or "0"
    if not re.fullmatch(r"\d{1,12}", context, re.ASCII):
        raise ValueError("context_above is not a number of tokens")
    provider, tier = provider_id(cells.get("provider") or ANY_PROVIDER), (cells.get("service_tier") or STANDARD).lower()
    return Key(provider, match, cells["model"].lower(), token_class, tier, int(context))


def _withheld(cells: Mapping[str, str]) -> list[Key]:
    """The key of a row whose price or date cannot be read: what is in force stays."""
    try:
        return [_key(cells)]
    except ValueError:
        return []
