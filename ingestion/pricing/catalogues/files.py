"""Which reader reads a file. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Final, Protocol

from ingestion.pricing.catalogues import litellm_json, own_csv
from ingestion.pricing.catalogues.base import Catalogue, UnreadableError


class Reader(Protocol):
    """Reads the content of a file. Raises UnreadableError."""

    def __call__(self, content: bytes, *, name: str, version: str) -> Catalogue:
        """The catalogue in the content."""
        ...


READERS: Final[Mapping[str, tuple[str, Reader]]] = {
    "litellm": (litellm_json.NAME, litellm_json.read),
    "csv": (own_csv.NAME, own_csv.read),
}
"""Format -> name of the catalogue unless another is given, reader."""


def read(content: bytes, *, format_name: str = "auto", name: str = "") -> Catalogue:
    """The catalogue in a file; its version is the fingerprint of the content. Raises UnreadableError."""
    if not content.strip():
        raise UnreadableError("The file is empty.")
    usual, reader = READERS[_detected(content) if format_name == "auto" else format_name]
    return reader(content, name=name or usual, version=hashlib.sha256(content).hexdigest()[:12])


def _detected(content: bytes) -> str:
    return "litellm" if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "csv"
