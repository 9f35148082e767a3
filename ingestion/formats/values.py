"""Loose values of other people's JSON into text. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ingestion.validation import METADATA_KEY_LENGTH, METADATA_KEYS, METADATA_VALUE_LENGTH


def text_of(value: object) -> str | None:
    """Text of a scalar: true, 3, "x"; None for null, "" and everything that is not a scalar."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def decimal(value: object) -> Decimal | None:
    """A finite number, exact: floats by their shortest text. None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found.adjusted() < 30 else None


def metadata_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Metadata as text: scalars, lists of scalars joined by commas; objects and null are left out."""
    metadata = {}
    for key, value in values.items():
        text = value if isinstance(value, str) else _joined(value) if isinstance(value, list) else text_of(value)
        if text:
            metadata[key] = text
    return metadata


def _joined(values: list[Any]) -> str | None:
    texts = [text for value in values if (text := text_of(value)) is not None]
    return ",".join(texts) if len(texts) == len(values) else None


def mapping_of(value: object) -> Mapping[str, Any]:
    """The object, or an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def shortened(metadata: Mapping[str, str], *, first: str = "", most: int = METADATA_KEYS) -> dict[str, str]:
    """Metadata of a sender that cannot be corrected, cut to the limits instead of refused; `first` is always kept."""
    keys = sorted((key for key in metadata if 0 < len(key) <= METADATA_KEY_LENGTH), key=lambda key: (key != first, key))
    return {key: metadata[key][:METADATA_VALUE_LENGTH].replace("\0", "�") for key in keys[: max(most, 0)]}
