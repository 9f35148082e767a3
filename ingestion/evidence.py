"""The usage object that a provider or gateway sent, kept beside a request for audit. Pure.

Numbers alone are kept: no text of people, no more than 2 KiB, and by default only where the counts of the request do
not tell the same.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from ingestion.records import TOKEN_FIELDS, RequestRecord

MOST_BYTES: Final = 2_048
_MOST_READ: Final = 32 * MOST_BYTES
_MOST_NUMBERS: Final = 256
_DEEPEST: Final = 6
_LARGEST: Final = 2**63 - 1
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_NAME_LENGTH: Final = 64
# Texts that say what a number counts, or by which list it is billed; everything else a text says is dropped.
WORDS: Final = frozenset(
    {
        *("auto", "batch", "default", "flex", "priority", "scale", "standard"),
        *("text", "image", "audio", "video", "document", "tokens", "characters", "images", "seconds", "milliseconds"),
        *("on_demand", "provisioned_throughput", "global", "us", "eu", "not_available"),
    }
)
_json: Final = msgspec.json.Encoder()
_tokens: Final = attrgetter(*TOKEN_FIELDS)


class Keep(StrEnum):
    """Of which requests the usage object is kept. FLAGGED: of those whose counts contradict it or each other."""

    FLAGGED = "flagged"
    ALL = "all"
    NEVER = "never"


def of(record: RequestRecord, keep: Keep, *, flagged: bool) -> str | None:
    """What is stored of the usage object, as JSON; None = nothing. `flagged`: the counts contradict each other."""
    usage = record.usage
    if not usage or keep is Keep.NEVER:
        return None
    if keep is Keep.FLAGGED and not flagged and explains(usage, record):
        return None
    kept = cleaned(usage)
    return _json.encode(kept).decode() if kept else None


def explains(usage: Mapping[str, Any], record: RequestRecord) -> bool:
    """Whether every token count of the record is a number of the object, each number standing for one count.

    Where it is not, the count was worked out on the way in: a sum, a difference, or what a rule says instead.
    """
    numbers: list[float] = []
    waiting: list[Any] = [usage]
    while waiting and len(numbers) < _MOST_NUMBERS:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int | float):
            numbers.append(value)
    for count in _tokens(record):
        if count:
            if count not in numbers:
                return False
            numbers.remove(count)
    return True


def cleaned(usage: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object with its numbers and known words alone; its size in bytes instead when that is too much to keep.

    None for what no number is in, and for what JSON of 64 bits cannot say.
    """
    try:
        size = len(_json.encode(usage))
    except (OverflowError, TypeError, UnicodeError, RecursionError):
        return None
    if size > _MOST_READ:  # not worth walking through
        return {"too_large": size}
    kept = _clean(usage, 0)
    if not kept:
        return None
    size = len(_json.encode(kept))
    return {"too_large": size} if size > MOST_BYTES else kept


def _clean(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON
    """What is kept of a value; None = nothing."""
    if isinstance(value, int | float):
        # Neither true nor NaN nor what 64 bits cannot hold.
        return value if abs(value) <= _LARGEST and not isinstance(value, bool) else None
    if isinstance(value, str):
        return value if value.lower() in WORDS else None
    if depth == _DEEPEST:
        return None
    if isinstance(value, dict):
        found = {name: _clean(one, depth + 1) for name, one in value.items() if _is_name(name)}
        return {name: one for name, one in found.items() if one is not None} or None
    if isinstance(value, list):
        return [one for each in value if (one := _clean(each, depth + 1)) is not None] or None
    return None


def _is_name(text: str) -> bool:
    return len(text) <= _NAME_LENGTH and _is_plain(text)  # long ones must not fill the memory


@lru_cache(maxsize=4096)  # the names of providers repeat
def _is_plain(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
