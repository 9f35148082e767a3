"""Wire formats: each turns a body into canonical records, one module each, all listed here."""

from typing import BinaryIO, Final

from ingestion.formats.base import Format, MalformedError, UnsupportedError
from ingestion.formats.exports import ENVOY, HELICONE, LANGFUSE, LITELLM_SPEND, OPENROUTER, PORTKEY
from ingestion.formats.flat_csv import FLAT_CSV
from ingestion.formats.head import BYTES, head_of
from ingestion.formats.litellm import LITELLM
from ingestion.formats.native import NATIVE
from ingestion.formats.otlp import OTLP_JSON

__all__ = ["ENVOY", "FORMATS", "LITELLM", "NATIVE", "Format", "MalformedError", "UnsupportedError", "detect"]

FORMATS: Final = {
    "csv": FLAT_CSV,
    "ndjson": NATIVE,
    "litellm": LITELLM,
    "otlp": OTLP_JSON,
} | {one.name: one for one in (LITELLM_SPEND, OPENROUTER, HELICONE, PORTKEY, LANGFUSE, ENVOY)}
"""Formats by the name that a person gives them on the command line."""


def detect(file: BinaryIO) -> Format:
    """The format of a file by its beginning; the file is left at its start. What none recognises is our own."""
    head = head_of(file.read(BYTES))
    file.seek(0)
    found = next((one for one in FORMATS.values() if one.recognises(head)), None)
    return found or (NATIVE if head.is_json else FLAT_CSV)
