"""Values of columns in the forms that several formats share."""

from collections.abc import Sequence
from typing import Any

import msgspec

from analytics.exports.table import Kind
from metricsportal.lib.money import usd_text

_OBJECTS = msgspec.json.Encoder(order="sorted")


def object_texts(values: Sequence[dict[str, Any] | None]) -> list[str | None]:
    """Objects as canonical JSON text; an empty one says nothing, like None."""
    return [_OBJECTS.encode(value).decode() if value else None for value in values]


def json_values(values: Sequence[Any], kind: Kind) -> Sequence[Any]:
    """Money as a decimal string, never a JSON number; everything else as it is."""
    return [usd_text(value) for value in values] if kind is Kind.MONEY else values
