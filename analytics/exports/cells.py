"""Values of an answer as they leave the portal: money as decimal text or number, no value as null."""

from datetime import UTC, datetime
from decimal import Decimal

from analytics.catalog.dimensions import NO_VALUE, Dimension
from analytics.catalog.measures import Selection, Unit
from analytics.query.values import Label, LabelKind, Value
from metricsportal.lib.money import usd_text

JsonValue = str | int | float | None
Number = int | float | Decimal | None


def json_value(selection: Selection, value: Value) -> JsonValue:
    """Money as a decimal string, never a JSON number; everything else as it is."""
    if selection.measure.unit is Unit.USD and value is not None:
        return usd_text(int(value))
    return value


def number(selection: Selection, value: Value) -> Number:
    """The same value for files in which money is a number."""
    if selection.measure.unit is Unit.USD and value is not None:
        return usd_number(int(value))
    return value


def usd_number(picodollars: int | None) -> Decimal | None:
    """US dollars, exact."""
    return None if picodollars is None else Decimal(usd_text(picodollars) or 0)


def native_label(dimension: Dimension, label: Label) -> str | None:
    """The text of a group; no value is null, except where the dimension has a name for it (Unassigned)."""
    if label.kind is LabelKind.NONE and dimension.empty == NO_VALUE:
        return None
    return label.text


def instant(moment: datetime) -> str:
    """UTC with Z and microseconds: 2026-11-08T09:12:44.120000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def short_instant(moment: datetime) -> str:
    """UTC with Z, to the second where nothing is lost."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
