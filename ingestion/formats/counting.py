"""Records of a JSON body counted before they are in memory: a body of nothing but `{},` would fill it 30 fold."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from django.conf import settings

from ingestion.formats.base import MalformedError, TooManyError

# A body with fewer commas than this many per record cannot hold so many that they matter, and most do not.
_COMMAS: Final = 8
_MOST_COMMAS: Final = 1_000_000
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _array(element: Any) -> Any:  # noqa: ANN401 - types
    return list[element]


def refuse_too_many(text: bytes, shape: Callable[[Any], Any] = _array) -> None:
    """Raise TooManyError when a body that is suspiciously dense holds more records than a batch may.

    `shape`: the type of a body, given the type of its records. Other faults of the body are left to its decoder, but
    for elements that are no records, which could not be counted: MalformedError.
    """
    most = settings.INGEST_MAX_RECORDS
    if text.count(b",") <= most * _COMMAS:
        return
    seen = 0

    class Element(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            nonlocal seen
            seen += 1
            if seen > most:
                raise OverflowError  # not a ValueError, which the decoder would make its own

    try:
        msgspec.json.decode(text, type=shape(Element))
    except OverflowError as error:
        raise TooManyError(f"A batch holds at most {most:,} records.") from error
    except msgspec.ValidationError as error:
        raise MalformedError("A body of this size may hold nothing but records") from error
    except _UNREADABLE:
        return


def refuse_too_many_lines(text: bytes) -> None:
    """The same of a body with one record per line. Empty lines are no records, but not without limit either."""
    most = settings.INGEST_MAX_RECORDS
    if text.count(b"\n") > most * 2:
        raise TooManyError(f"A batch holds at most {most:,} records.")


def is_too_dense(text: bytes) -> bool:
    """Whether reading everything, also what nobody asked for, would fill the memory."""
    return text.count(b",") > _MOST_COMMAS
