"""A span, whatever its encoding, and readers of its loosely typed attributes. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from ingestion.formats.values import decimal, text_of
from ingestion.records import Code, RejectedError

Attributes = Mapping[str, Any]
"""Scalars and lists of scalars by name; anything else that a span carries is left out when it is decoded."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS: Final = 2**63 - 1


class Event(msgspec.Struct, gc=False):
    """Something that happened inside a span."""

    name: str
    time_ns: int
    attributes: dict[str, Any]


class Span(msgspec.Struct, gc=False):
    """One span. Ids are lower-case hex, "" = none; times are nanoseconds since 1970; kind and status as in OTLP."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    is_error: bool
    message: str
    attributes: dict[str, Any]
    events: list[Event]
    resource: dict[str, Any]
    scope: str

    @property
    def request_id(self) -> str:
        """`traceId:spanId`, the identity of a call. Raises RejectedError when one of them is none."""
        for name, value, length in (("traceId", self.trace_id, 32), ("spanId", self.span_id, 16)):
            if len(value) != length or not value.strip("0"):
                raise RejectedError(Code.REQUEST_ID, name, f"{name} must be {length} hex digits, not all zero.")
        return f"{self.trace_id}:{self.span_id}"

    @property
    def started_at(self) -> datetime:
        """Its start, cut to the microsecond. Raises RejectedError when there is none."""
        if not 0 < self.start_ns <= _LATEST_NS:
            raise RejectedError(Code.MISSING, "startTimeUnixNano", "The span has no start.")
        return _EPOCH + timedelta(microseconds=self.start_ns // 1000)

    @property
    def latency_ms(self) -> float | None:
        """From start to end; None for spans that end before they start."""
        return (self.end_ns - self.start_ns) / 1e6 if self.end_ns >= self.start_ns else None


def first(attributes: Attributes, *names: str) -> Any:  # noqa: ANN401 - as sent
    """The first attribute that is present and says something; None when there is none."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value
    return None


def text(attributes: Attributes, *names: str) -> str | None:
    """The first of them as text."""
    return text_of(first(attributes, *names))


def count(attributes: Attributes, *names: str) -> int | None:
    """The first of them as a whole number; text and whole floats are read. Raises RejectedError for anything else."""
    value = first(attributes, *names)
    if value is None:
        return None
    number = decimal(value)
    if number is None or number != number.to_integral_value():
        raise RejectedError(Code.INVALID, names[0], f"{names[0]} must be a whole number.")
    return int(number)


def number(attributes: Attributes, *names: str) -> float | None:
    """The first of them as a number; None for what is none."""
    value = decimal(first(attributes, *names))
    return None if value is None else float(value)


def flag(attributes: Attributes, *names: str) -> bool | None:
    """The first of them as true or false; None for anything else."""
    value = first(attributes, *names)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def parsed(value: object) -> Any:  # noqa: ANN401 - whatever the text holds
    """JSON inside text; what is no such text comes back as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def under(attributes: Attributes, prefix: str) -> dict[str, Any]:
    """The attributes below a prefix, by what follows it."""
    return {name[len(prefix) :]: value for name, value in attributes.items() if name.startswith(prefix)}
