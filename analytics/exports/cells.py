"""Values of an answer as they leave the portal: money as decimal text or number, no value as null."""

from datetime import UTC, datetime

from analytics.catalog.dimensions import NO_VALUE, Dimension
from analytics.catalog.measures import Selection, Unit
from analytics.query.values import Label, LabelKind, Value
from metricsportal.lib.money import usd_text

JsonValue = str | int | float | None


def json_value(selection: Selection, value: Value) -> JsonValue:
    """Money as a decimal string, never a JSON number; everything else as it is."""
    if selection.measure.unit is Unit.USD and value is not None:
        return usd_text(int(value))
    return value


def native_label(dimension: Dimension, label: Label) -> str | None:
    """The text of a group; no value is null, except where the dimension has a name for it (Unassigned)."""
    if label.kind is LabelKind.NONE and dimension.empty == NO_VALUE:
        return None
    return label.text


def instant(moment: datetime) -> str:
    """UTC with Z and microseconds: 2026-11-08T09:12:44.120000Z."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def short_instant(moment: datetime) -> str:
    """UTC with Z, to the second where nothing is lost."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
