"""Wire formats: each turns a body into canonical records, one module each, all listed here."""

from typing import BinaryIO, Final

from ingestion.formats.base import Format, MalformedError, UnsupportedError
from ingestion.formats.flat_csv import FLAT_CSV
from ingestion.formats.litellm import LITELLM
from ingestion.formats.native import NATIVE
from ingestion.formats.otlp import OTLP_JSON

__all__ = ["FORMATS", "LITELLM", "NATIVE", "Format", "MalformedError", "UnsupportedError", "detect"]

FORMATS: Final = {
    "csv": FLAT_CSV,
    "ndjson": NATIVE,
    "litellm": LITELLM,
    "otlp": OTLP_JSON,
}
"""Formats by the name that a person gives them on the command line."""

_HEAD: Final = 65_536


def detect(file: BinaryIO) -> Format:
    """The format of a file by its first bytes; the file is left at its start."""
    head = file.read(_HEAD)
    file.seek(0)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return FLAT_CSV
    if b'"resourceSpans"' in head:
        return OTLP_JSON
    return LITELLM if b'"litellm_call_id"' in head or b'"startTime"' in head else NATIVE
