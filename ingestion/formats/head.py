"""The beginning of a file: whether it is JSON or CSV, and which names its first record has. Pure."""

import csv
import re
from dataclasses import dataclass
from typing import Final

BYTES: Final = 2**20
"""How much of a file is looked at: a first record may hold a long prompt before the names that tell its format."""
_SPACE: Final = b"\xef\xbb\xbf \t\r\n"
# Texts end at their quote or with the head; commas and scalars do not matter.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]:]', re.DOTALL)
_NAME_LENGTH: Final = 128


@dataclass(frozen=True, slots=True)
class Head:
    """What a format is recognised by: the members of the first JSON object, or the columns of a CSV header."""

    is_json: bool
    names: frozenset[str]

    def has(self, *names: str) -> bool:
        """Whether the record has all of these."""
        return self.names.issuperset(names)


def head_of(beginning: bytes) -> Head:
    """The head of a file by its first bytes, which may end anywhere."""
    text = beginning.lstrip(_SPACE)
    if text.startswith((b"{", b"[")):
        return Head(True, frozenset(_members(text)))
    return Head(False, frozenset(_columns(text)))


def _members(text: bytes) -> set[str]:
    """Names of the first object, without those of the objects inside it."""
    names, depth, last = set[str](), 0, b""
    for found in _TOKEN.finditer(text, text.find(b"{") if b"{" in text else len(text)):
        token = found[0]
        if token in b"{[":
            depth += 1
        elif token in b"}]":
            depth -= 1
            if depth == 0:
                break
        elif token == b":" and depth == 1:
            names.add(last.decode("utf-8", "replace")[:_NAME_LENGTH])
        last = token[1:-1]
    return names


def _columns(text: bytes) -> list[str]:
    line = text.partition(b"\n")[0].decode("utf-8", "replace")
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []
