"""Spans of a protobuf body counted before they are in memory: two bytes on the wire are 180 as an empty span."""

from typing import Final

from django.conf import settings

from ingestion.formats.base import TooManyError

_PATH: Final = (1, 2, 2)  # resource_spans, scope_spans, spans; https://github.com/open-telemetry/opentelemetry-proto
_SMALL: Final = 2**18
_MOST_FIELDS: Final = 1_000_000  # of all spans together, attributes and events included
_FIXED: Final = {1: 8, 5: 4}


def refuse_too_many_spans(body: bytes) -> None:
    """Raise TooManyError for more spans than a batch may have records, or for absurdly many parts of them.

    Other faults are left to the decoder.
    """
    if len(body) > _SMALL:
        try:
            _count(body, settings.INGEST_MAX_RECORDS)
        except IndexError:
            return  # it ends in the middle of a number


def _count(body: bytes, most: int) -> None:
    fields = spans = 0
    waiting = [(0, len(body), 0)]
    while waiting:
        at, end, level = waiting.pop()
        while at < end:
            fields += 1
            tag, at = _varint(body, at)
            start, at = _value(body, at, tag & 7)
            if level < len(_PATH) and tag == _PATH[level] << 3 | 2:
                spans += level == len(_PATH) - 1
                waiting.append((start, at, level + 1))
            if spans > most or fields > _MOST_FIELDS:
                raise TooManyError(f"A batch holds at most {most:,} spans.")


def _value(body: bytes, at: int, kind: int) -> tuple[int, int]:
    """Where the value of a field starts and ends. Raises IndexError for a kind that does not exist."""
    if kind == 0:
        return at, _varint(body, at)[1]
    if kind == 2:
        size, at = _varint(body, at)
        return at, at + size
    if kind not in _FIXED:
        raise IndexError
    return at, at + _FIXED[kind]


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, and where it ends."""
    byte = body[at]
    value, shift = byte & 127, 7
    while byte > 127:
        at += 1
        byte = body[at]
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise IndexError
    return value, at + 1
